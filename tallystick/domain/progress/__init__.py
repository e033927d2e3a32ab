"""What falls due by itself, and when to look again.

To learn what to record next about a claim, call `due`; to learn when to ask again, `next_look`.
Admission asks the same `due` before it lets in such an event, so the engine can record only what is true.
`attempts` says how often notice and the gate are tried, and after which pauses.
"""
