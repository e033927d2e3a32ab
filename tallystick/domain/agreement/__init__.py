"""What the parties agreed: `agreement` has the value and its look-ups, its parts stand beside it."""
