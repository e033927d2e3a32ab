"""Letters: about claims, about what is stored, and how they leave.

To notify a depositor of a claim, a workflow calls `NoticeActivities.give_notice`; the storekeeper calls
`StorageNotices.give` about what is stored. Both send through `Post`.
A new kind of channel is a module in `channels` and a case in `Post`.
"""
