"""What a draft is made from.

To have a statement drafted, call `acts.all.draft` with a `Heading`, where the claim stands and the person's
`Choices`. `Command` and `Ask` say what the author of an act is asked for.
"""
