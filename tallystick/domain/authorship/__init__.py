"""Whether a statement is by whom it should be, about this, and in time."""
