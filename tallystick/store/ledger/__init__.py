"""The ledger: rows and leaves in one transaction, and the checkpoints over them."""
