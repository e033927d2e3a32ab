"""An agreement's log as a person's machine verifies it, and what to do when it is not the log of before.

`read_log` reads a log whole and compares it with its signed checkpoint. `compare` says in what it differs
from the log that was verified before, and `accept` believes it from now on.
"""
