"""Letters: about claims, about what is stored, and how they leave.

To notify a depositor of a claim, a workflow calls `NoticeActivities.give_notice`; the storekeeper calls
`StorageNotices.give` about what is stored. Both send through `Post`: to add a kind of channel, add how
it sends there.
"""
