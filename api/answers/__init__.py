"""The shapes of answers, and how a claim is turned into them.

To add an answer, write a frozen dataclass in `shapes`, or in `claims` if it is about a claim; the
OpenAPI document follows from it. `claim_views` makes answers from a case and a moment, and decides
nothing; `acknowledged` answers a statement that is on record; `record` shows a claim's record as it was
signed, and `delivery` what the receiver needs besides.
"""
