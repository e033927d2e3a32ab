"""The clauses of an agreement as Temporal workflows: they wait, call and record; the core decides.

A claim is carried by `ReleaseWorkflow` (in `claim`), a deposit's verdict by `DepositWorkflow`, a custody
epoch by `CustodyWorkflow`, an export by `EvidenceWorkflow`. `steps` says how long each call may take and
how it is tried again. `worker` is the program that runs them. Code here must be deterministic, and
change only so that stored histories replay.
"""
