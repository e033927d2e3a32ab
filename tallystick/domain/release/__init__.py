"""The one decision: whether this stage may be released now.

To decide, call `decide` with everything that the gate saw, as a `Sight`: every premise must hold.
`recorded_premises` are those that the record alone decides, which anyone may ask. `review` lets a
verifier compare a recorded decision with what its record calls for, and `unmet_evidence` says what a
release condition lacks.
"""
