"""A claim's workflow, from filing to its end, and what only it uses.

To follow a claim's life, read `ReleaseWorkflow.run`: a line is a sentence of the agreement. Acts arrive
as its update `ReleaseWorkflow.submit`. `Casebook` folds what the ledger returns, `Alarm` keeps one
timer, and `HistorySize` says when a fresh run is better.
"""
