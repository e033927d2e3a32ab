"""What every request passes: who asks, what may be seen, strict bytes, problems."""
