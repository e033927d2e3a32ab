"""The long runs have their own command, `make faults`: they kill processes for minutes, not seconds."""

import os

collect_ignore = [] if os.environ.get("FAULTS") else ["test_crash_cells.py", "test_random_crashes.py"]
