"""What may be said. Each module has bodies; `signed` has a verified statement, and reads any body."""
