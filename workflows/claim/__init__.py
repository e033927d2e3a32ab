"""A claim's workflow, from filing to its end, and what only it uses.

To follow a claim's life, read `ReleaseWorkflow.run`: each line is a sentence of the agreement. Acts arrive
as its update `ReleaseWorkflow.submit`, and `acts.accept` has them recorded. `Casebook` folds what the
ledger returns, `news` fetches what was recorded meanwhile, `Alarm` keeps one timer, and `HistorySize`
says when a fresh run is better.
"""
