"""What may be recorded of deposits and of their custody.

To ask whether a deposit may be recorded, call `check_deposit` and, for how many there may be in a day,
`check_pace`; a custody epoch, `check_custody`. All refuse with a typed error. Whether the stored bytes
are those that were signed is checked elsewhere: by the worker, which gives the verdict, and again by
the gate.
"""
