"""Whether a release could be carried out today.

To ask, call `findings` with an `Inventory` of the deposits, the custody and the keys; `is_ready` says
whether any finding makes a release impossible.
"""
