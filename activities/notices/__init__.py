"""Letters: about claims, about damaged copies, and how they leave.

To notify a depositor of a claim, a workflow calls `NoticeActivities.give_notice`; the storekeeper calls
`StorageNotices.give` about damaged copies. Both send through `Post`: to add a kind of channel, add how
it sends there.
"""
