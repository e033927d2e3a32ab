"""The clauses of an agreement as Temporal workflows: they wait, call and record; the core decides.

`ReleaseWorkflow` (in `claim`) carries a claim, `DepositWorkflow` a deposit to its verdict,
`CustodyWorkflow` deals a custody epoch, `EvidenceWorkflow` exports evidence. `steps` says how long each
call may take and how it is tried again. `worker` is the program that runs them. Code here must be
deterministic, and may change only in such a way that stored histories still replay.
"""
