"""What a person would sign, and what they read before."""
