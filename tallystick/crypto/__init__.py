"""Signatures, sealing, shares and proofs: bytes in, bytes out; no files but key files, no network."""
