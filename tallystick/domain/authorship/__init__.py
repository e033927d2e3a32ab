"""The checks of any statement, whatever it says: its subject, its signers and its times.

To find who signed one, call `author`, or `signing_persons` where several sign together. The functions
called `check_…` refuse: a wrong subject, a wrong time, a revoked key, a person who may not say this.
`check_quota` bounds how much one person may send.
"""
