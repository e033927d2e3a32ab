"""The worker and the gate as programs: `python -m workflows.worker [--gate]`."""
