"""A claim with everything it stands on, loaded from the ledger.

To decide or record, call `load`: every signature is verified and every entry admitted again. To show,
ask a `Cases`, which keeps what it read last and folds only what is new. `export` makes the evidence
file, and `revocations` says which keys no longer count.
"""
