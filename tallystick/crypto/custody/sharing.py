"""Custody of a secret by Pedersen verifiable secret sharing over a threshold tree.

Pedersen, "Non-interactive and information-theoretic secure verifiable secret
sharing" (CRYPTO '91), nested: an inner node's secret is split among its children
by a polynomial of degree threshold - 1 whose coefficients are committed to, and a
child that is an inner node splits its part again. Everyone can check, offline and
without learning anything, that their share fits all the others.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from typing import ClassVar, Final

from tallystick.crypto import age
from tallystick.crypto.age.header import hkdf
from tallystick.crypto.custody import edwards
from tallystick.crypto.custody.edwards import Point, Scalar
from tallystick.crypto.custody.tree import (
    ROOT,
    Leaf,
    Node,
    NodePath,
    ShareTree,
    check_tree,
    child_path,
    leaves,
    lengths,
)
from tallystick.domain.errors import TallystickError
from tallystick.limits.agreements import QUORUM_LEAVES_MAX

_SEED_INFO: Final = b"tallystick/v1/custody-seed"


class CommitmentsRefusedError(TallystickError):
    """Commitments that do not belong to the tree, or do not fit each other."""

    code = "commitments-refused"
    why = "Commitments have the shape of their tree, and each node's secret is the part its parent gives it."
    advice = "Refuse the custody statement, and ask the dealer to deal again."


class ShareRefusedError(TallystickError):
    """A share that is not the one that was committed to."""

    code = "share-refused"
    why = "The share does not open its custodian's commitment: it was altered, swapped or wrongly dealt."
    advice = "Do not sign a custody receipt for it; ask the dealer for the share again."


class TooFewSharesError(TallystickError):
    """Too few good shares to meet the tree's thresholds."""

    code = "too-few-shares"
    why = "The good shares do not satisfy the custody tree; shares that failed their check are named."
    advice = "Ask the custodians named in `bad` to send their share again, or others to send theirs."


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A leaf's part of the secret and of its blinding: 64 bytes, a secret."""

    SIZE_BYTES: ClassVar[int] = 2 * edwards.SCALAR_BYTES

    value: Scalar = field(repr=False)
    blinding: Scalar = field(repr=False)

    def encode(self) -> bytes:
        """Return both scalars, one after the other."""
        return self.value + self.blinding


@dataclass(frozen=True, kw_only=True, slots=True)
class Commitments:
    """A list of points for each inner node, its constant term first; public.

    A tree that is a single leaf has the root's one commitment.
    """

    nodes: Mapping[NodePath, tuple[Point, ...]]

    def document(self) -> dict[str, list[str]]:
        """Return the JSON form: lower-case hexadecimal points by node path."""
        return {path: [point.hex() for point in points] for path, points in self.nodes.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dealt:
    """What a dealer made: the secret, public commitments, and each leaf's share by name."""

    secret: Scalar = field(repr=False)
    commitments: Commitments
    shares: Mapping[str, Share] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    nodes: dict[NodePath, tuple[Point, ...]]
    shares: dict[str, Share]


def parse_share(raw: bytes) -> Share:
    """Return the share that these 64 bytes encode.

    Raises:
        MalformedGroupElementError: A wrong length, or a scalar that is not reduced.
    """
    value, blinding = raw[: edwards.SCALAR_BYTES], raw[edwards.SCALAR_BYTES :]
    return Share(value=edwards.scalar(value), blinding=edwards.scalar(blinding))


def parse_commitments(document: Mapping[str, Sequence[str]]) -> Commitments:
    """Return the commitments in a JSON `document`, each point checked.

    Raises:
        CommitmentsRefusedError: Too many, or not lower-case hexadecimal.
        MalformedGroupElementError: Something that is not a usable point.
    """
    if sum(1 + len(points) for points in document.values()) > 4 * QUORUM_LEAVES_MAX:
        raise CommitmentsRefusedError("more commitments than any tree has")
    return Commitments(
        nodes={
            NodePath(path): tuple(_parse_point(text) for text in points) for path, points in document.items()
        }
    )


def deal(
    tree: ShareTree, *, secret: Scalar | None = None, draw: Callable[[], Scalar] = edwards.random_scalar
) -> Dealt:
    """Share `secret`, or a fresh one, over `tree`.

    Args:
        tree: Who holds a share, and how many of them are enough.
        secret: What to share; None draws it.
        draw: Where coefficients come from; only test vectors replace the default.

    Raises:
        MalformedShareTreeError: Nothing can be shared over the tree.
    """
    check_tree(tree)
    root = Share(value=draw() if secret is None else secret, blinding=draw())
    if isinstance(tree, Leaf):
        parts = _Parts(nodes={ROOT: (_commit(root),)}, shares={tree.name: root})
    else:
        parts = _split(tree, ROOT, root, draw)
    return Dealt(secret=root.value, commitments=Commitments(nodes=parts.nodes), shares=parts.shares)


def verify_commitments(tree: ShareTree, commitments: Commitments) -> None:
    """Return if `commitments` have the shape of `tree` and each node hangs under its parent.

    Raises:
        MalformedShareTreeError: Nothing can be shared over the tree.
        MalformedGroupElementError: Something that is not a usable point.
        CommitmentsRefusedError: Another shape, or a node that is not its parent's part.
    """
    check_tree(tree)
    wanted = dict(lengths(tree))
    given = {path: len(points) for path, points in commitments.nodes.items()}
    if wanted != given:
        raise CommitmentsRefusedError(
            "commitments of another tree", nodes=len(given), expected_nodes=len(wanted)
        )
    for point in chain.from_iterable(commitments.nodes.values()):
        edwards.point(point)
    for path, points in commitments.nodes.items():
        if path != ROOT and points[0] != _expected(commitments, path):
            raise CommitmentsRefusedError("a node does not hang under its parent", node=path)


def verify_share(tree: ShareTree, commitments: Commitments, leaf: str, share: Share) -> None:
    """Return if `share` is the one that `commitments` promise to `leaf`.

    Raises:
        CommitmentsRefusedError: The commitments themselves are wrong.
        ShareRefusedError: Another share, or the tree has no such leaf.
    """
    verify_commitments(tree, commitments)
    path = next((path for path, custodian in leaves(tree) if custodian.name == leaf), None)
    if path is None or not _fits(commitments, path, share):
        raise ShareRefusedError("not the share that was committed to", leaf=leaf)


def recombine(tree: ShareTree, commitments: Commitments, shares: Mapping[str, Share]) -> Scalar:
    """Return the secret; shares by leaf name that fail their check are left out.

    Raises:
        CommitmentsRefusedError: The commitments themselves are wrong.
        TooFewSharesError: The good shares do not satisfy the tree; `bad` names the others.
    """
    verify_commitments(tree, commitments)
    places = {leaf.name: path for path, leaf in leaves(tree)}
    good = {
        name: share
        for name, share in shares.items()
        if name in places and _fits(commitments, places[name], share)
    }
    root = _recover(tree, good)
    if root is None:
        raise TooFewSharesError(
            "too few good shares", good=sorted(good), bad=sorted(shares.keys() - good.keys())
        )
    assert _commit(root) == commitments.nodes[ROOT][0], "good shares gave another secret (this is a bug)"
    return root.value


def custody_seed(secret: Scalar, context: bytes) -> bytes:
    """Return the 32-byte seed of the custody identity for `context`, by HKDF-SHA-256."""
    return hkdf(secret, salt=hashlib.sha256(context).digest(), info=_SEED_INFO)


def custody_identity(secret: Scalar, context: bytes) -> age.HybridIdentity:
    """Return the identity that opens what is sealed to this custody's recipient."""
    return age.identity_from_seed(custody_seed(secret, context))


def _split(tree: Node, path: NodePath, part: Share, draw: Callable[[], Scalar]) -> _Parts:
    """Return the commitments and shares of everything under `tree`, whose own part is `part`."""
    coefficients = [part, *(Share(value=draw(), blinding=draw()) for _ in range(tree.threshold - 1))]
    parts = _Parts(nodes={path: tuple(_commit(coefficient) for coefficient in coefficients)}, shares={})
    for place, child in enumerate(tree.children, start=1):
        share = _evaluate(coefficients, place)
        if isinstance(child, Leaf):
            parts.shares[child.name] = share
        else:
            below = _split(child, child_path(path, place), share, draw)
            parts.nodes.update(below.nodes)
            parts.shares.update(below.shares)
    return parts


def _recover(tree: ShareTree, shares: Mapping[str, Share]) -> Share | None:
    if isinstance(tree, Leaf):
        return shares.get(tree.name)
    parts = {
        place: part
        for place, child in enumerate(tree.children, start=1)
        if (part := _recover(child, shares)) is not None
    }
    if len(parts) < tree.threshold:
        return None
    return _interpolate(dict(sorted(parts.items())[: tree.threshold]))


def _interpolate(parts: Mapping[int, Share]) -> Share:
    """Return the polynomial's value at zero from its values at the places (Lagrange)."""
    weighted = [_scale(_weight(place, parts), part) for place, part in parts.items()]
    return reduce(_plus, weighted)


def _weight(place: int, places: Mapping[int, Share]) -> Scalar:
    weight = 1
    for other in places:
        if other != place:
            weight = weight * other * pow(other - place, -1, edwards.ORDER) % edwards.ORDER
    return edwards.small_scalar(weight)


def _evaluate(coefficients: Sequence[Share], place: int) -> Share:
    where = edwards.small_scalar(place)
    return reduce(lambda total, coefficient: _plus(_scale(where, total), coefficient), reversed(coefficients))


def _expected(commitments: Commitments, path: NodePath) -> Point:
    """Return the commitment to the part at `path`, from the commitments of its parent."""
    if path == ROOT:
        return commitments.nodes[ROOT][0]
    parent, _, place = path.rpartition("/")
    where = edwards.small_scalar(int(place))
    points = commitments.nodes[NodePath(parent or ROOT)]
    return reduce(
        lambda total, point: edwards.add_points(edwards.times(where, total), point), reversed(points)
    )


def _fits(commitments: Commitments, path: NodePath, share: Share) -> bool:
    return _commit(share) == _expected(commitments, path)


def _commit(share: Share) -> Point:
    return edwards.commit(share.value, share.blinding)


def _scale(factor: Scalar, share: Share) -> Share:
    return Share(
        value=edwards.multiply(factor, share.value), blinding=edwards.multiply(factor, share.blinding)
    )


def _plus(one: Share, other: Share) -> Share:
    return Share(
        value=edwards.add(one.value, other.value), blinding=edwards.add(one.blinding, other.blinding)
    )


def _parse_point(text: str) -> Point:
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise CommitmentsRefusedError("a commitment is not hexadecimal") from error
    if raw.hex() != text:
        raise CommitmentsRefusedError("a commitment is not lower-case hexadecimal")
    return edwards.point(raw)
