"""The log: leaves, tree, checkpoints and proofs."""
