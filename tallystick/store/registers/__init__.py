"""Look-ups in the ledger by the names that people use: agreements, claims, deposits, custody.

To find the newest version of an agreement, call `agreements.latest`; a claim by its digest,
`claims.by_digest`; a deposit and the verdict on it, `deposits` and `verdicts`; the custody epoch to seal
to now, `custody.live_epochs`. Nothing here decides: the rows only point to entries of the ledger, and
the entries count.
"""
