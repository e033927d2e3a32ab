"""A claim's record: what may begin it, and what all of it makes.

To fold a whole record, call `fold`; to see each step of it, `steps`; to add one entry, `step`. To ask
whether a claim may be filed, call `check_filing`.
"""
