"""The ledger: one append-only log for each agreement.

To record a statement, call `append` in a transaction of yours: row and leaf commit together, and a
statement that is sent again is recorded once. To read, call `entries`, or `entry_by_statement` for one;
`pages.page` reads as many as one answer holds. What they return is a `LedgerEntry` (`entry`).
`checkpoints` signs a log as it stands (`sign_checkpoint`) and hashes all of it again (`verify_log`). `tree`
proves, from a few rows, that an entry is in a log (`inclusion_proofs`), and says what its root was at any
size (`root_at`).
"""
