"""The gate: it decides a stage once, for ever, and only then gives its share of the key away.

A workflow calls `GateActivities.decide_stage`; the first lines of `decide` give the order of the gate's
writes, which is the order of safety. `sight` is what the gate sees with its own eyes, `release` what it
contributes, `publish` what it gives away, and `journal` its memory on its own disk. `witness` signs
when it saw a notice, `deal` makes custody epochs; `check_gate` checks that this gate is the one that the
agreement names.
"""
