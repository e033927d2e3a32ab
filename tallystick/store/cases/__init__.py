"""A claim with everything it stands on, loaded from the ledger."""
