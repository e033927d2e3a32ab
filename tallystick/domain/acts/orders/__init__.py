"""Acts from outside the quorum.

An arbitrator or a court decides (`ruling`), both sides instruct the escrow agent together
(`instruction`), someone freezes a claim (`hold`), and several persons lift a hold (`lift`). Each module
defines one `ACT`.
"""
