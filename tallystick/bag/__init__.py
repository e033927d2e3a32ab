"""BagIt bags in tar files: `write` makes one in a single pass, `unpack` checks and unpacks one."""
