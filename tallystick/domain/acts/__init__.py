"""The acts of persons on a claim: one file has everything about one act.

To find an act, look it up in `all` by its kind, its noun or its command; to have its statement drafted,
call `all.draft`. `act.Act` says what an act consists of. The files are in four rooms: `votes`, `orders`,
`course` and `delivery`. To add an act, write its file, and add a line each for its kind in `kinds`, its
event in `claim.state`, and the file in `all`.
"""
