"""Acts for and against a claim.

A person approves stages (`approval`), denies the claim (`denial`), objects to it (`objection`), or takes
one of these back (`retraction`). Each module defines one `ACT`. How votes are counted is in
`claim.tally`.
"""
