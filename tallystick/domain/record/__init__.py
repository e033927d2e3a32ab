"""A claim's record: filing it, and folding it."""
