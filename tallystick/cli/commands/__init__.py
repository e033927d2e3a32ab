"""The commands, one module for each group of them.

To add a command, write it in the module of its group, and name it in `tallystick.cli.main.COMMANDS`.
Each module has a Typer `app`, or one function with the name of its command. It is imported only when the
command is called, so that a slow import costs the others nothing.
"""
