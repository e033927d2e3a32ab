"""Reports which branch devices are silent."""
