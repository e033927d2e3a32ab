"""What a person reads before they sign: one renderer for every statement that a person signs.

To render a statement, call `shows` with the body to be signed and its `Context`. The lines
come only from the body and from verified data, so that a server cannot choose the words. `claims` has
the lines about the claim.
"""
