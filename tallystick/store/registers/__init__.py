"""Look-ups over the ledger: agreements, deposits, claims, custody."""
