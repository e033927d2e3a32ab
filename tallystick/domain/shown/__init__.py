"""What a person reads before they sign: one renderer for every statement that a person signs.

Call `shows` with the body to be signed and what is `AtHand` beside it. The lines come from the body and from
verified data, so that a server cannot choose the words.
"""
