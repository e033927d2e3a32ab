"""A claim with everything it depends on, loaded from the ledger.

To decide or record, call `load`: it verifies every signature, admits every entry again, and returns a
`CaseFile`, which is a case with the bytes that it was read from. To show, ask a `Cases`, which keeps
what it read last and folds only what is new. `export` makes the evidence file, and `revocations` says
which keys no longer count.
"""
