"""What waits for whom, and until when."""
