"""The claim's workflow, and what only it uses."""
