"""What a person would sign about a claim, and what they read before they sign it.

To build a statement, call `draft` with a `Heading` and the person's `Choices`; to put its body into
lines for the signer, call `shows`. Both work from verified data only, so that a server cannot choose the
words.
"""
