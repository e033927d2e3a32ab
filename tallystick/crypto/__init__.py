"""Signatures, sealing, shares and proofs. No network, and no file but key files.

To sign a statement, call `envelope.sign`; to see who signed one, `envelope.verified_signers`; what it
says and who may say it is for `tallystick.proof` to judge. `keys` has Ed25519 keys, `keyfile` the
private file NAME.key, and `enrolment` the public file NAME.pub. The rooms: `age` seals files, `custody`
shares keys, `json` has the canonical form that everything signed is in, and `log` has Merkle trees,
checkpoints and proofs.
"""
