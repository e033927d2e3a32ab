"""Claims that are played under an agreement before anybody relies on it.

To play all of them, call `simulated`. It yields what the agreement's words promise and the rules do not
bring about. `play` is one claim: persons do what the inbox asks of them, the engine records what is due and
the gate decides, all by the functions that carry a real claim. `cast` says who is silent or hostile, and
which channels are dead; `scenarios` says which plays there are, and how each must end.
"""
