"""What may be recorded of deposits and of their custody.

To ask whether a deposit may be recorded, call `check_deposit`; a custody epoch, `check_custody`. Both
refuse with a typed error. Whether the stored bytes are those that were signed is checked elsewhere: by
the worker, which gives the verdict, and again by the gate.
"""
