"""The `tallystick` command: people see what they sign, and check what they are told."""
