"""What the beneficiary runs: fetch, check, recombine, open, activate, and sign a receipt."""
