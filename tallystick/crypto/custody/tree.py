"""The tree over which a secret is shared: custodians at its leaves, a threshold at each node above them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NewType

from tallystick.domain.errors import MalformedError
from tallystick.limits.agreements import QUORUM_LEAVES_MAX, SHARE_TREE_DEPTH_MAX

NodePath = NewType("NodePath", str)
"""Where a node is in its tree: `/` is the root, `/2/1` the first child of the root's second."""
ROOT: Final = NodePath("/")


class MalformedShareTreeError(MalformedError):
    """A tree over which nothing can be shared."""

    code = "share-tree-malformed"
    why = "A node's threshold lies between 1 and its number of children, and a custodian occurs once."
    advice = "Correct the quorum tree of the agreement."


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A leaf of the tree: one custodian."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A group of which `threshold` members are enough."""

    threshold: int
    children: tuple["ShareTree", ...]


ShareTree = Leaf | Node


def check_tree(tree: ShareTree) -> None:
    """Return if something can be shared over `tree`.

    Raises:
        MalformedShareTreeError: A threshold out of range, a name twice, or a tree too large.
    """
    custodians = [leaf.name for _, leaf in leaves(tree)]
    if len(set(custodians)) != len(custodians) or not 0 < len(custodians) <= QUORUM_LEAVES_MAX:
        raise MalformedShareTreeError("a custodian twice, none, or too many", leaves=len(custodians))


def child_path(path: NodePath, place: int) -> NodePath:
    """Return the path of a node's child at `place` (1, 2 …)."""
    return NodePath(f"{path.removesuffix('/')}/{place}")


def lengths(tree: ShareTree) -> Iterator[tuple[NodePath, int]]:
    """Yield how many commitments each inner node has; a tree that is a leaf has one at its root."""
    if isinstance(tree, Leaf):
        yield ROOT, 1
    for path, node in nodes(tree):
        if isinstance(node, Node):
            yield path, node.threshold


def leaves(tree: ShareTree) -> Iterator[tuple[NodePath, Leaf]]:
    """Return the custodians and their paths, from left to right."""
    return ((path, node) for path, node in nodes(tree) if isinstance(node, Leaf))


def nodes(tree: ShareTree, path: NodePath = ROOT, depth: int = 0) -> Iterator[tuple[NodePath, ShareTree]]:
    """Yield the node at `path` and every node below it, a parent before its children.

    Raises:
        MalformedShareTreeError: A threshold out of range, or too deep.
    """
    yield path, tree
    if isinstance(tree, Leaf):
        return
    if depth >= SHARE_TREE_DEPTH_MAX or not 1 <= tree.threshold <= len(tree.children) <= QUORUM_LEAVES_MAX:
        raise MalformedShareTreeError("too deep, or a threshold out of range", node=path)
    for place, child in enumerate(tree.children, start=1):
        yield from nodes(child, child_path(path, place), depth + 1)
