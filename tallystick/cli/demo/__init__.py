"""`tallystick demo`: three claims on real processes, told as they happen.

To act it out, call `demo` in `play`, which has the story. `Narrator` types each command, shows it, and
checks what came of it, so that the demonstration fails when an outcome is not what its agreement says.
"""
