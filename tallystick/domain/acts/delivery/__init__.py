"""What the beneficiary says about what is released, and was.

It names anew to whom its claim is sealed (`receivers`). A receiver reports on a stage (`receipt`):
activated, failed, or rolled back. A person certifies that what was released is returned or destroyed
(`giving_back`). Each module defines one `ACT`.
"""
