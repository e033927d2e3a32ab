"""Whether a release could be carried out today: what a fire drill of an agreement would find.

To ask, call `findings` with what was `Seen` of the deposits, the custody and the keys; `is_ready` says
whether any finding makes a release impossible.
"""
