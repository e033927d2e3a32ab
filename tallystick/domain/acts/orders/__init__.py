"""Acts from outside the quorum: a ruling, a joint instruction, a hold and its lift."""
