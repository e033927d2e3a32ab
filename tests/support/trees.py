"""Proofs over leaves that a test has at hand, made of the same runs as those of a stored log."""

from collections.abc import Sequence

from tallystick.crypto.log.merkle import (
    Frontier,
    Run,
    consistency_runs,
    inclusion_runs,
    root_over,
)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The path for leaf `index` in the tree over all `leaves`."""
    return _hashes(leaves, inclusion_runs(index, len(leaves)))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """The proof that the first `old_size` of `leaves` begin the whole."""
    return _hashes(leaves, consistency_runs(old_size, len(leaves)))


def _hashes(leaves: Sequence[bytes], runs: Sequence[Run]) -> tuple[bytes, ...]:
    tree, completed = Frontier(), list[tuple[bytes, ...]]()
    for leaf in leaves:
        completed.append(tree.completed_by(leaf))
        tree = tree.append(leaf)
    return tuple(root_over([completed[one.last][one.level] for one in run]) for run in runs)
