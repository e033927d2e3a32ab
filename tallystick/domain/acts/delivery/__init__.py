"""What the beneficiary says about what was released.

The receiver reports on a stage (`receipt`): activated, failed, or rolled back. A person certifies that
what was released is returned or destroyed (`giving_back`). Each module defines one `ACT`.
"""
