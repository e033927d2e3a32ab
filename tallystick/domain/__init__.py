"""The rules of escrow, pure: standard library only, with no clock, no randomness, no input or output.

To fold a record into a claim, call `record.fold.fold`; to ask whether a statement may be recorded,
`admission.door.admit`; what falls due by itself, `progress.due.due`; whether a stage may be released,
`release.decision.decide`; what a person reads before they sign, `shown.shown.shows`. Workflow, gate,
API and offline verifier call these same functions, and pass the moment in.

The rooms have an order, which pyproject.toml holds: `agreement`, `statements` and `claim` come first,
the rules above them; below them are `kinds`, `ids`, `errors`, `refusals`, `codec`, `quorum` and
`periods`.
"""
