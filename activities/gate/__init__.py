"""The gate: it decides a stage once, for ever, and only then gives its share of the key away.

A workflow calls `GateActivities.decide_stage`; the module's first lines give the order of what is
written, which is what keeps it safe. `sight` is what the gate sees with its own eyes, `journal` its
memory on its own disk, `deal` makes custody epochs, and `check_gate` asks whether this gate is the one
that the agreement names.
"""
