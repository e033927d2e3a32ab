"""A claim as its record makes it.

To read where a claim stands, use the properties of `Claim`; only `evolve` changes it, by the one table
`TRANSITIONS` in `state`. To count votes, call `tally_approvals` or `tally_denials`, which also say why a
vote does not count. `receivers` says to whom it is sealed, `confirming` what the beneficiary has yet to
confirm. `stages` says when a stage opens and lapses, `course` what the workflow does next;
`orders`, `returns` and `disclosure` answer what was ordered, is owed, and was disclosed. `Rules` are
what a generation of rules consists of, `Sight` is what a decider saw.
"""
