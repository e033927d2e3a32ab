"""What falls due by itself, and when to look again.

To learn what is to be recorded next about a claim, call `due`; to learn when to ask again, `next_look`.
The same `due` is asked when such an event is admitted, so the engine can record only what is true.
`attempts` says how often notice and the gate are tried, and after which pauses.
"""
