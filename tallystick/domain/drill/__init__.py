"""What a fire drill would find."""
