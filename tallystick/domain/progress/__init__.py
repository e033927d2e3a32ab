"""What falls due by itself, and when to look again."""
