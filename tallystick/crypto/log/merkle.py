"""RFC 6962 trees: hashes, roots, and proofs that an entry is in, and that nothing was changed.

Leaf and node hashes have different prefixes, so that no node passes for an entry.
Proofs are verified as RFC 9162 section 2.1 does, for arbitrary input: a proof
that does not fit its tree is refused, never padded or cut.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.limits.logs import TREE_SIZE_MAX

HASH_SIZE_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class LogRangeError(MalformedError):
    """A size, an index or a hash that no tree has."""

    code = "log-range"
    why = "The log has no entry with this index, or never had this size, or a hash does not have 32 bytes."
    advice = "Fetch the newest checkpoint, and ask only for indices below its size and for sizes up to it."


class InclusionInvalidError(TallystickError):
    """A proof that does not show that the entry is in the log."""

    code = "inclusion-invalid"
    why = "The path from the entry does not lead to the root (RFC 9162 section 2.1.3.2)."
    advice = "Fetch the proof again for exactly this checkpoint; if it fails again, keep both as evidence."


class ConsistencyInvalidError(TallystickError):
    """A proof that does not show that the newer log only adds to the older."""

    code = "consistency-invalid"
    why = "The older tree is not shown to be the beginning of the newer (RFC 9162 section 2.1.4.2)."
    advice = "Keep both signed checkpoints: together they may prove that the log was rewritten."


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of an entry as a leaf (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of a node from its two children's (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves, as the roots of its perfect subtrees, largest first.

    This is all one needs to append and to compute the root: one hash for each bit of `size` that is 1.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a frontier, such as a damaged row."""
        _check_size(self.size)
        _check_hashes(self.hashes)
        if len(self.hashes) != self.size.bit_count():
            raise LogRangeError("not one hash for each perfect subtree", size=self.size)

    def completed_by(self, leaf: bytes) -> tuple[bytes, ...]:
        """Return the roots of the perfect subtrees that one more leaf completes, smallest first.

        The first is the leaf's own hash, which is given.
        """
        _check_hashes([leaf])
        roots, rest = [leaf], self.size
        for left in reversed(self.hashes):
            if not rest & 1:
                break
            roots.append(node_hash(left, roots[-1]))
            rest >>= 1
        return tuple(roots)

    def append(self, leaf: bytes) -> "Frontier":
        """Return the tree with one more leaf, given as its leaf hash."""
        completed = self.completed_by(leaf)
        kept = self.hashes[: len(self.hashes) - len(completed) + 1]
        return Frontier(self.size + 1, (*kept, completed[-1]))

    def root(self) -> bytes:
        """Return the 32-byte root; of the empty tree, the hash of nothing."""
        return root_over(self.hashes)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the tree over these leaf hashes."""
    return reduce(Frontier.append, leaves, Frontier()).root()


def root_over(roots: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring perfect subtrees, given by their roots, largest first."""
    if not roots:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(roots))


@dataclass(frozen=True, slots=True)
class Subtree:
    """A perfect subtree: the `2**level` leaves of which number `last` is the last."""

    last: int
    level: int


Run = tuple[Subtree, ...]
"""Neighbouring perfect subtrees, largest first, whose `root_over` is one hash of a proof."""


def run_of(start: int, end: int) -> Run:
    """Return the leaves from `start` to before `end` as few perfect subtrees, as RFC 6962 splits a tree.

    `start` is where such a tree begins: it can be divided by the largest power of two that fits.
    """
    run: list[Subtree] = []
    while start < end:
        level = (end - start).bit_length() - 1
        start += 1 << level
        run.append(Subtree(start - 1, level))
    return tuple(run)


def inclusion_runs(index: int, size: int) -> tuple[Run, ...]:
    """Return what each hash of the path of leaf `index` is made of (RFC 6962 section 2.1.1).

    Raises:
        LogRangeError: No such leaf, or no such tree.
    """
    _check_size(size)
    if not 0 <= index < size:
        raise LogRangeError("no such leaf", index=index, size=size)
    path: list[Run] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(run_of(middle, end))
            end = middle
        else:
            path.append(run_of(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_runs(old_size: int, new_size: int) -> tuple[Run, ...]:
    """Return what each hash of a consistency proof is made of (RFC 6962 section 2.1.2).

    From the empty tree, and from a tree to itself, the proof is empty.

    Raises:
        LogRangeError: No trees of those sizes in that order.
    """
    _check_size(new_size)
    if not 0 <= old_size <= new_size:
        raise LogRangeError("no such size", old_size=old_size, size=new_size)
    if old_size in {0, new_size}:
        return ()
    proof: list[Run] = []
    start, end = 0, new_size
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(run_of(middle, end))
            end = middle
        else:
            proof.append(run_of(start, middle))
            start = middle
    # A tree that the old one begins with, the verifier has: it is the old root.
    return tuple(reversed([*proof, run_of(start, end)] if start else proof))


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Refuse unless `leaf` (a leaf hash) is number `index` of the `size` under `root`.

    Raises:
        LogRangeError: No tree of that size, no such index, or not 32-byte hashes.
        InclusionInvalidError: The proof does not lead from the leaf to the root.
    """
    _check_size(size)
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise LogRangeError("no such leaf", index=index, size=size)
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise InclusionInvalidError("the proof is too long", index=index, size=size)
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            position, last = _up_to_right_child(position, last)
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or node != root:
        raise InclusionInvalidError("the proof does not lead to the root", index=index, size=size)


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Refuse unless the tree of `new_size` begins with the whole tree of `old_size`.

    Raises:
        LogRangeError: No trees of those sizes in that order, or not 32-byte hashes.
        ConsistencyInvalidError: The proof does not show it.
    """
    _check_size(old_size)
    _check_size(new_size)
    _check_hashes([old_root, new_root, *proof])
    if old_size > new_size:
        raise LogRangeError("the log shrank", old_size=old_size, new_size=new_size)
    if old_size in {0, new_size}:
        proven = not proof and old_root == (EMPTY_ROOT if old_size == 0 else new_root)
    else:
        proven = _roots_from(old_size, new_size, old_root, proof) == (old_root, new_root)
    if not proven or (new_size == 0 and new_root != EMPTY_ROOT):
        raise ConsistencyInvalidError("not shown to be a beginning", old_size=old_size, new_size=new_size)


def _roots_from(
    old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Return both roots as the proof builds them, or None if it has a wrong length."""
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not path:
        return None
    position, last = old_size - 1, new_size - 1
    trailing_ones = (~position & (position + 1)).bit_length() - 1
    position, last = position >> trailing_ones, last >> trailing_ones
    old, new = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            position, last = _up_to_right_child(position, last)
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return (old, new) if last == 0 else None


def _up_to_right_child(position: int, last: int) -> tuple[int, int]:
    """Climb the levels at which a node at the right edge has no sibling."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_size(size: int) -> None:
    if not 0 <= size <= TREE_SIZE_MAX:
        raise LogRangeError("no such size", size=str(size)[:32])


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_SIZE_BYTES for value in hashes):
        raise LogRangeError("not hashes of 32 bytes")
