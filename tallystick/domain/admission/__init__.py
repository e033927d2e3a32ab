"""The one door: whether a statement may be recorded for a claim, and which event it is.

To ask, call `admit`; it refuses with a typed error that says why and what to do. The API, the workflow,
the transaction that records, the fold and the offline verifier all ask it. The rule of an act is in the
file of the act (`acts`); the rules for decisions of the gate and for revocations are here.
"""
