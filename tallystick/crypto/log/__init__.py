"""An agreement's log: an RFC 6962 tree with C2SP checkpoints and proofs.

To verify offline that an entry is in a log, call `proof.verify_log_proof`; to verify a checkpoint,
`note.open_checkpoint`; to sign one, `note.sign_checkpoint`. `leaf` says what is hashed of a statement,
and `merkle` has the tree itself: roots, inclusion and consistency.
"""
