"""The programs that run workflows and activities: the worker, and the gate.

To start one, run `python -m workflows.worker`, with `--gate` for the gate, which has its own queue and
its own keys. `carrier` and `gate` say what each of them runs, `connection` what both need, and
`reconciler` starts again what is on record but not running.
"""
