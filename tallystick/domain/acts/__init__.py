"""Acts: what persons state about one claim. One file has all that there is to know of one act.

To find an act, look in `all` by its kind, noun or command; to have its statement drafted, call `all.draft`.
`act.Act` says what an act consists of. To add one, write its file beside its neighbours (`votes`, `orders`,
`course`, `delivery`), and add a line each for its kind in `kinds`, its event in `claim.state`, and the
file in `all`.
"""
