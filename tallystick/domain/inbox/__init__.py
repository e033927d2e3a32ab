"""What a claim waits for, on whom, and until when.

To list it, call `waiting`; each item names a person or a party, and a deadline if there is one. To list
every deadline with the days that were counted, call `deadlines`. Both only read; `tallystick.domain.progress`
decides what falls due.
"""
