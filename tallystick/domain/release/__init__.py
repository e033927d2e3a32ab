"""The one decision: whether this stage may be released now.

To decide, call `decide` with everything that the gate saw, as a `Sight`: every premise must be true. The
premises that the record alone decides are in `recorded`, the others in `seen`; anyone may ask the first
with `recorded_premises`. `review` lets a verifier compare a recorded decision with what its record calls
for, and `unmet_evidence` says what a release condition lacks.
"""
