"""What the API stands on: the stores, and Temporal."""
