"""The gate: reads, sees, decides, records, contributes."""
