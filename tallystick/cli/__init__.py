"""The `tallystick` command: what a person types, reads and signs at a terminal.

To run it, call `main`; to find a command, look in `main.COMMANDS`, which names the module of each. A
command opens a desk with `opened` and prints with `print_result`. What needs no terminal is in
`tallystick.desk`.
"""
