"""JSON in one form: canonical bytes, base64, and members of objects."""
