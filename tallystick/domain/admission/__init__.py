"""The one door: whether a statement may be recorded for a claim."""
