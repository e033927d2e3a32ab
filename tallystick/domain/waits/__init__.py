"""The waits that people alone would end, and what the parties agreed for when nobody does.

`ends` counts when each is over, and `powers` says who may then act in the place of others. What is recorded
at an end is decided in `progress`.
"""
