"""From bytes to what is believed.

`reading` verifies one statement or agreement, `entries` a claim's record, `evidence` a whole file.
"""
