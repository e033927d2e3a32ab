"""Blobs: one folder of them, several stores as one, and uploads on their way."""
