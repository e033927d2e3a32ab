"""RFC 6962 trees against published vectors and against the RFC's own recursive definition."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.crypto.log.merkle import (
    EMPTY_ROOT,
    ConsistencyInvalidError,
    Frontier,
    InclusionInvalidError,
    LogRangeError,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tallystick.limits.logs import TREE_SIZE_MAX
from tests.support.trees import consistency_proof, inclusion_proof

# The tree of eight entries that Certificate Transparency implementations share.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_LEAVES = [leaf_hash(entry) for entry in ENTRIES]
INCLUSION = {
    0: [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    7: [
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
SIZE_MAX = 64
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZE_MAX + 1)]
FOREIGN = sha256(b"foreign").digest()


def _power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as written."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _power_below(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, as written."""
    if len(leaves) == 1:
        return []
    k = _power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2, as written."""
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = _power_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known=known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], known=False), mth(leaves[:k])]


REFERENCE_ROOTS = [mth(LEAVES[:size]) for size in range(SIZE_MAX + 1)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_shared_tree(size: int) -> None:
    assert root_of(CT_LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("index", [0, 7])
def test_inclusion_proofs_are_those_of_the_shared_tree(index: int) -> None:
    assert [found.hex() for found in inclusion_proof(CT_LEAVES, index)] == INCLUSION[index]


def test_consistency_example_of_rfc_6962_section_2_1_3() -> None:
    a, b, c, d, e, f, j = CT_LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k = node_hash(g, h)
    node_l = node_hash(i, j)
    assert consistency_proof(CT_LEAVES[:7], 3) == (c, d, g, node_l)
    assert consistency_proof(CT_LEAVES[:7], 4) == (node_l,)
    assert consistency_proof(CT_LEAVES[:7], 6) == (i, j, k)


def test_frontier_root_at_every_size_is_the_recursive_one() -> None:
    frontier = Frontier()
    for size in range(SIZE_MAX + 1):
        assert (frontier.size, frontier.root()) == (size, REFERENCE_ROOTS[size])
        assert Frontier(frontier.size, frontier.hashes) == frontier
        frontier = frontier.append(LEAVES[size])


def test_every_inclusion_proof_up_to_64_is_the_recursive_one_and_verifies() -> None:
    for size in range(1, SIZE_MAX + 1):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert list(proof) == path(index, LEAVES[:size])
            verify_inclusion(
                leaf=LEAVES[index], index=index, size=size, proof=proof, root=REFERENCE_ROOTS[size]
            )


def test_every_consistency_proof_up_to_64_is_the_recursive_one_and_verifies() -> None:
    for new in range(SIZE_MAX + 1):
        for old in range(new + 1):
            proof = consistency_proof(LEAVES[:new], old)
            assert list(proof) == (subproof(old, LEAVES[:new], known=True) if old else [])
            verify_consistency(
                old_size=old,
                new_size=new,
                old_root=REFERENCE_ROOTS[old],
                new_root=REFERENCE_ROOTS[new],
                proof=proof,
            )


def _mutations(proof: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    whole = list(proof)
    dropped = [(*whole[:i], *whole[i + 1 :]) for i in range(len(whole))]
    altered = [(*whole[:i], FOREIGN, *whole[i + 1 :]) for i in range(len(whole))]
    doubled = [(*whole[:i], whole[i], *whole[i:]) for i in range(len(whole))]
    swapped = [(*whole[:i], whole[i + 1], whole[i], *whole[i + 2 :]) for i in range(len(whole) - 1)]
    return [*dropped, *altered, *doubled, *swapped, (*whole, FOREIGN), (FOREIGN, *whole)]


def test_every_mutated_inclusion_proof_is_refused() -> None:
    for size in range(1, 18):
        for index in range(size):
            for proof in _mutations(inclusion_proof(LEAVES[:size], index)):
                with pytest.raises(InclusionInvalidError):
                    verify_inclusion(
                        leaf=LEAVES[index], index=index, size=size, proof=proof, root=REFERENCE_ROOTS[size]
                    )


def test_an_inclusion_proof_holds_for_its_leaf_index_and_root_alone() -> None:
    for size in range(1, 18):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            wrong = [(LEAVES[index], other, REFERENCE_ROOTS[size]) for other in range(size) if other != index]
            wrong += [(LEAVES[index], index, FOREIGN), (FOREIGN, index, REFERENCE_ROOTS[size])]
            for leaf, place, root in wrong:
                with pytest.raises(InclusionInvalidError):
                    verify_inclusion(leaf=leaf, index=place, size=size, proof=proof, root=root)


def test_every_mutated_consistency_proof_is_refused() -> None:
    for new in range(1, 18):
        for old in range(new + 1):
            for proof in _mutations(consistency_proof(LEAVES[:new], old)):
                with pytest.raises(ConsistencyInvalidError):
                    verify_consistency(
                        old_size=old,
                        new_size=new,
                        old_root=REFERENCE_ROOTS[old],
                        new_root=REFERENCE_ROOTS[new],
                        proof=proof,
                    )


def test_a_rewritten_log_is_never_consistent() -> None:
    for new in range(1, 18):
        for old in range(1, new + 1):
            forged = [*LEAVES[: old - 1], FOREIGN, *LEAVES[old:new]]
            for proof in (consistency_proof(forged, old), consistency_proof(LEAVES[:new], old)):
                with pytest.raises(ConsistencyInvalidError):
                    verify_consistency(
                        old_size=old,
                        new_size=new,
                        old_root=REFERENCE_ROOTS[old],
                        new_root=root_of(forged),
                        proof=proof,
                    )


def test_a_proof_of_a_larger_tree_does_not_pass_for_a_smaller() -> None:
    for size in range(2, 18):
        proof = inclusion_proof(LEAVES[:size], size - 1)
        with pytest.raises(InclusionInvalidError):
            verify_inclusion(leaf=LEAVES[size - 1], index=0, size=1, proof=proof, root=REFERENCE_ROOTS[size])
    with pytest.raises(ConsistencyInvalidError):
        verify_consistency(
            old_size=3,
            new_size=4,
            old_root=REFERENCE_ROOTS[7],
            new_root=REFERENCE_ROOTS[8],
            proof=consistency_proof(LEAVES[:8], 7),
        )


def test_a_proof_does_not_pass_for_a_tree_twice_the_size() -> None:
    for size in range(2, 18):
        for place in range(1, size):
            with pytest.raises(InclusionInvalidError):
                verify_inclusion(
                    leaf=LEAVES[place],
                    index=place,
                    size=2 * size,
                    proof=inclusion_proof(LEAVES[:size], place),
                    root=REFERENCE_ROOTS[size],
                )
            with pytest.raises(ConsistencyInvalidError):
                verify_consistency(
                    old_size=place,
                    new_size=2 * size,
                    old_root=REFERENCE_ROOTS[place],
                    new_root=REFERENCE_ROOTS[size],
                    proof=consistency_proof(LEAVES[:size], place),
                )


def test_the_empty_tree_has_one_root() -> None:
    for old, new in ((0, 0), (0, 3)):
        root = EMPTY_ROOT if new == 0 else REFERENCE_ROOTS[new]
        with pytest.raises(ConsistencyInvalidError):
            verify_consistency(old_size=old, new_size=new, old_root=FOREIGN, new_root=root, proof=())
    with pytest.raises(ConsistencyInvalidError):
        verify_consistency(old_size=0, new_size=0, old_root=EMPTY_ROOT, new_root=FOREIGN, proof=())


def test_a_node_does_not_pass_for_an_entry() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


ROOT = REFERENCE_ROOTS[3]
IMPOSSIBLE: dict[str, Callable[[], object]] = {
    "index after the end": lambda: verify_inclusion(leaf=ROOT, index=3, size=3, proof=(), root=ROOT),
    "negative index": lambda: verify_inclusion(leaf=ROOT, index=-1, size=3, proof=(), root=ROOT),
    "leaf of the empty tree": lambda: verify_inclusion(leaf=ROOT, index=0, size=0, proof=(), root=ROOT),
    "negative size": lambda: verify_inclusion(leaf=ROOT, index=0, size=-1, proof=(), root=ROOT),
    "size too large": lambda: verify_inclusion(
        leaf=ROOT, index=0, size=TREE_SIZE_MAX + 1, proof=(), root=ROOT
    ),
    "short leaf": lambda: verify_inclusion(leaf=ROOT[:31], index=0, size=1, proof=(), root=ROOT),
    "long root": lambda: verify_inclusion(leaf=ROOT, index=0, size=1, proof=(), root=ROOT + b"x"),
    "short path hash": lambda: verify_inclusion(leaf=ROOT, index=0, size=2, proof=(b"",), root=ROOT),
    "shrinking log": lambda: verify_consistency(
        old_size=2, new_size=1, old_root=ROOT, new_root=ROOT, proof=()
    ),
    "negative old size": lambda: verify_consistency(
        old_size=-1, new_size=1, old_root=ROOT, new_root=ROOT, proof=()
    ),
    "short consistency hash": lambda: verify_consistency(
        old_size=1, new_size=2, old_root=ROOT, new_root=ROOT, proof=(b"x",)
    ),
    "proof for no leaf": lambda: inclusion_proof(LEAVES[:3], 3),
    "proof for a negative index": lambda: inclusion_proof(LEAVES[:3], -1),
    "proof from the future": lambda: consistency_proof(LEAVES[:3], 4),
    "proof from a negative size": lambda: consistency_proof(LEAVES[:3], -1),
    "frontier of wrong length": lambda: Frontier(3, (ROOT,)),
    "frontier of short hashes": lambda: Frontier(1, (b"",)),
    "negative frontier": lambda: Frontier(-1, (ROOT,)),
    "short leaf appended": lambda: Frontier(1, (ROOT,)).append(b"x"),
}


@pytest.mark.parametrize("ask", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_no_tree_has_is_malformed(ask: Callable[[], object]) -> None:
    with pytest.raises(LogRangeError):
        ask()


_HASHES = st.binary(min_size=32, max_size=32)


@given(
    size=st.integers(-1, 2**64),
    index=st.integers(-1, 2**64),
    proof=st.lists(_HASHES, max_size=70),
    leaf=_HASHES,
    root=_HASHES,
)
def test_random_inclusion_proofs_are_refused_with_our_own_errors(
    size: int, index: int, proof: list[bytes], leaf: bytes, root: bytes
) -> None:
    if (size, index, proof) == (1, 0, []) and leaf == root:
        return
    with pytest.raises((LogRangeError, InclusionInvalidError)):
        verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)


@given(old_size=st.integers(1, 2**64), new_size=st.integers(1, 2**64), proof=st.lists(_HASHES, max_size=70))
def test_random_consistency_proofs_are_refused_with_our_own_errors(
    old_size: int, new_size: int, proof: list[bytes]
) -> None:
    with pytest.raises((LogRangeError, ConsistencyInvalidError)):
        verify_consistency(
            old_size=old_size, new_size=new_size, old_root=FOREIGN, new_root=EMPTY_ROOT, proof=proof
        )
