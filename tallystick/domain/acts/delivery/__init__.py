"""What the beneficiary says of what was released: a receipt for a stage, or that it was given back."""
