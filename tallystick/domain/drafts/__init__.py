"""What a statement is drafted from.

To have one drafted, call `acts.all.draft` with a `Heading`, the claim and the person's
`Choices`. `ActCommand` and `Ask` say what the author of an act is asked for, in words that any
front end can use.
"""
