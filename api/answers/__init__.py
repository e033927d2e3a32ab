"""The shapes of answers, and how a claim is turned into them.

To add an answer, write a frozen dataclass in `shapes`, or in `claims` if it is about a claim; the
OpenAPI document follows from it. `claim_views` makes answers from a case and a moment, and decides
nothing; `acknowledged` answers a statement that is on record; `delivery` says what the receiver must
fetch, open or undo.
"""
