"""The channels that letters go through: mailboxes, webhooks and outboxes.

`Mail`, `Webhooks` and `Outboxes` each deliver a letter and return a `Taken`. Where a channel does not take
it, they raise `NotTakenError` or what the library beneath raises; the post makes a result of either.
"""
