"""Whether an agreement is sound: `check` lists what is wrong with it, `registering` asks for a deployment."""
