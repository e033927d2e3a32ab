"""What is done in rounds: scrubbing the stores, signing the logs."""
