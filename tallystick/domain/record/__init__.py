"""A claim's record: what may begin it, what all of it makes, and by which rules.

To fold a whole record, call `fold`; to see each turn of it, `turns`; to add one entry, `advance`. To ask
whether a claim may be filed, call `check_filing`. `generations` alone says which generations of rules
there are; a claim keeps the one that it was filed under, so a change of a rule is a new generation
there.
"""
