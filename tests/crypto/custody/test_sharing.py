"""Shares over a tree: who can recombine, who is caught, and what is refused."""

import itertools
import json
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.crypto.custody import edwards, sharing
from tallystick.crypto.custody.sharing import Commitments, Share
from tallystick.crypto.custody.tree import ROOT, Leaf, MalformedShareTreeError, Node, NodePath, ShareTree
from tallystick.limits.agreements import QUORUM_DEPTH_MAX
from tests.support.judges import edwards_reference as reference

DEAL_FILE = Path(__file__).parents[1] / "data" / "custody-deal.json"
CONTEXT = b"deployment, agreement, component, epoch"


def of(threshold: int, *children: ShareTree | str) -> Node:
    leaves = tuple(Leaf(name=child) if isinstance(child, str) else child for child in children)
    return Node(threshold=threshold, children=leaves)


OFFICERS = of(2, "ana", "ben", "cleo")
TREE = of(2, "gate", of(2, OFFICERS, of(1, "vera", "walt"), "arbitrator"))
GATE_ONLY = Leaf(name="gate")


def counted(label: str) -> Callable[[], edwards.Scalar]:
    """Return a source that always gives the same scalars."""
    numbers = itertools.count()
    return lambda: edwards.small_scalar(
        int.from_bytes(sha256(f"{label} {next(numbers)}".encode()).digest(), "big")
    )


def picked(dealt: sharing.Dealt, *names: str) -> dict[str, Share]:
    return {name: dealt.shares[name] for name in names}


def altered(share: Share) -> Share:
    return Share(value=edwards.add(share.value, edwards.small_scalar(1)), blinding=share.blinding)


def test_deal_from_fixed_coefficients_never_changes() -> None:
    dealt = sharing.deal(TREE, draw=counted("vector"))
    seed = sharing.custody_seed(dealt.secret, CONTEXT)
    assert json.loads(DEAL_FILE.read_text()) == {
        "secret": dealt.secret.hex(),
        "commitments": dealt.commitments.document(),
        "shares": {name: share.encode().hex() for name, share in dealt.shares.items()},
        "seed": seed.hex(),
        "recipient_sha256": sha256(
            str(sharing.custody_identity(dealt.secret, CONTEXT).recipient()).encode()
        ).hexdigest(),
        "blinding_base": edwards.BLINDING_BASE.hex(),
    }


def test_commitment_agrees_with_rfc_8032_arithmetic() -> None:
    share = Share(value=edwards.random_scalar(), blinding=edwards.random_scalar())
    value, blinding = (int.from_bytes(part, "little") for part in (share.value, share.blinding))
    expected = reference.plus(
        reference.times(value, reference.BASE),
        reference.times(blinding, reference.decode(edwards.BLINDING_BASE)),
    )
    assert edwards.commit(share.value, share.blinding) == reference.encode(expected)


def test_zero_and_the_identity_are_computed_with_although_libsodium_refuses_them() -> None:
    identity = edwards.Point(reference.encode(reference.IDENTITY))
    one = edwards.small_scalar(1)
    assert edwards.commit(one, edwards.ZERO) == reference.encode(reference.BASE)
    assert edwards.commit(edwards.ZERO, one) == edwards.BLINDING_BASE
    assert edwards.commit(edwards.ZERO, edwards.ZERO) == identity
    assert edwards.times(one, identity) == identity


def test_blinding_base_is_in_the_main_subgroup_and_not_the_base() -> None:
    blinding_base = reference.decode(edwards.BLINDING_BASE)
    assert reference.times(edwards.ORDER, blinding_base) == reference.IDENTITY
    assert blinding_base not in {reference.IDENTITY, reference.BASE}


@pytest.mark.parametrize(
    ("names", "opens"),
    [
        ("gate ana ben arbitrator", True),
        ("gate ben cleo walt", True),
        ("gate vera arbitrator", True),
        ("gate ana ben cleo vera walt arbitrator", True),
        ("ana ben cleo vera walt arbitrator", False),
        ("gate", False),
        ("gate ana arbitrator", False),
        ("gate vera walt", False),
        ("", False),
    ],
)
def test_exactly_the_sets_that_satisfy_the_tree_recombine(names: str, opens: bool) -> None:
    dealt = sharing.deal(TREE)
    shares = picked(dealt, *names.split())
    if opens:
        assert sharing.recombine(TREE, dealt.commitments, shares) == dealt.secret
    else:
        with pytest.raises(sharing.TooFewSharesError) as caught:
            sharing.recombine(TREE, dealt.commitments, shares)
        assert caught.value.facts["bad"] == []


@given(data=st.data(), threshold=st.integers(1, 6), extra=st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_any_k_of_n_recombine_and_no_fewer(data: st.DataObject, threshold: int, extra: int) -> None:
    names = [f"p{number}" for number in range(threshold + extra)]
    tree = of(threshold, *names)
    dealt = sharing.deal(tree)
    enough = data.draw(st.permutations(names))[:threshold]
    assert sharing.recombine(tree, dealt.commitments, picked(dealt, *enough)) == dealt.secret
    with pytest.raises(sharing.TooFewSharesError):
        sharing.recombine(tree, dealt.commitments, picked(dealt, *enough[1:]))


def test_one_share_of_a_pair_can_belong_to_any_secret() -> None:
    """For every secret there is a line through ana's share: alone, it says nothing."""
    own = int.from_bytes(sharing.deal(OFFICERS).shares["ana"].value, "little")
    for guess in (0, 1, secrets.randbelow(edwards.ORDER)):
        drawn = iter([edwards.random_scalar(), edwards.small_scalar(own - guess), edwards.random_scalar()])
        dealt = sharing.deal(OFFICERS, secret=edwards.small_scalar(guess), draw=drawn.__next__)
        assert dealt.shares["ana"].value == edwards.small_scalar(own)


def test_single_leaf_gets_the_secret_itself() -> None:
    dealt = sharing.deal(GATE_ONLY)
    assert dealt.shares["gate"].value == dealt.secret
    sharing.verify_share(GATE_ONLY, dealt.commitments, "gate", dealt.shares["gate"])
    assert sharing.recombine(GATE_ONLY, dealt.commitments, dealt.shares) == dealt.secret
    with pytest.raises(sharing.TooFewSharesError):
        sharing.recombine(GATE_ONLY, dealt.commitments, {"gate": altered(dealt.shares["gate"])})


def test_given_secret_is_the_one_that_is_shared() -> None:
    secret = edwards.random_scalar()
    dealt = sharing.deal(TREE, secret=secret)
    assert sharing.recombine(TREE, dealt.commitments, dealt.shares) == secret


def test_zero_secret_and_zero_coefficient_are_shared_like_any_other() -> None:
    scalars = iter([edwards.random_scalar(), edwards.ZERO, edwards.random_scalar()])
    dealt = sharing.deal(OFFICERS, secret=edwards.ZERO, draw=scalars.__next__)
    sharing.verify_commitments(OFFICERS, dealt.commitments)
    assert sharing.recombine(OFFICERS, dealt.commitments, picked(dealt, "ben", "cleo")) == edwards.ZERO


def test_every_dealt_share_verifies_for_its_own_leaf_only() -> None:
    dealt = sharing.deal(TREE)
    for name, share in dealt.shares.items():
        sharing.verify_share(TREE, dealt.commitments, name, share)
    for name in ("ben", "gate", "arbitrator", "stranger"):
        with pytest.raises(sharing.ShareRefusedError):
            sharing.verify_share(TREE, dealt.commitments, name, dealt.shares["ana"])


@pytest.mark.parametrize("part", ["value", "blinding"])
def test_share_with_one_scalar_altered_is_refused(part: str) -> None:
    dealt = sharing.deal(TREE)
    scalars = {"value": dealt.shares["ana"].value, "blinding": dealt.shares["ana"].blinding}
    scalars[part] = edwards.add(scalars[part], edwards.small_scalar(1))
    forged = Share(value=scalars["value"], blinding=scalars["blinding"])
    with pytest.raises(sharing.ShareRefusedError):
        sharing.verify_share(TREE, dealt.commitments, "ana", forged)


def test_bad_share_is_named_when_too_few_good_ones_remain() -> None:
    dealt = sharing.deal(TREE)
    shares = picked(dealt, "gate", "ana", "ben", "arbitrator") | {"ben": altered(dealt.shares["ben"])}
    with pytest.raises(sharing.TooFewSharesError) as caught:
        sharing.recombine(TREE, dealt.commitments, shares)
    assert caught.value.facts["bad"] == ["ben"]
    assert caught.value.facts["good"] == ["ana", "arbitrator", "gate"]


def test_bad_share_is_passed_over_when_enough_good_ones_remain() -> None:
    dealt = sharing.deal(TREE)
    shares = dict(dealt.shares) | {"ana": altered(dealt.shares["ana"]), "stranger": dealt.shares["ben"]}
    assert sharing.recombine(TREE, dealt.commitments, shares) == dealt.secret


def test_shares_of_two_deals_do_not_mix_even_for_the_same_secret() -> None:
    old = sharing.deal(TREE)
    new = sharing.deal(TREE, secret=old.secret)
    shares = picked(old, "gate", "vera") | picked(new, "arbitrator")
    for commitments in (old.commitments, new.commitments):
        with pytest.raises(sharing.TooFewSharesError):
            sharing.recombine(TREE, commitments, shares)


def test_node_that_does_not_hang_under_its_parent_is_named() -> None:
    dealt, other = sharing.deal(TREE), sharing.deal(TREE)
    grafted = Commitments(
        nodes={**dealt.commitments.nodes, NodePath("/2/1"): other.commitments.nodes[NodePath("/2/1")]}
    )
    with pytest.raises(sharing.CommitmentsRefusedError) as caught:
        sharing.verify_commitments(TREE, grafted)
    assert caught.value.facts["node"] == "/2/1"
    with pytest.raises(sharing.CommitmentsRefusedError):
        sharing.verify_share(TREE, grafted, "gate", dealt.shares["gate"])
    with pytest.raises(sharing.CommitmentsRefusedError):
        sharing.recombine(TREE, grafted, dealt.shares)


def test_commitments_of_a_weaker_tree_are_refused() -> None:
    weaker = of(1, *TREE.children)
    dealt = sharing.deal(weaker)
    with pytest.raises(sharing.CommitmentsRefusedError):
        sharing.verify_commitments(TREE, dealt.commitments)


SMALL_ORDER = ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f"]
NOT_CANONICAL = ["ee" + "ff" * 30 + "7f", "01" + "00" * 30 + "80"]
# G plus a point of order 8's multiple of order 2, (0, -1): on the curve, outside the main subgroup.
OUTSIDE = [reference.encode(reference.plus(reference.BASE, (0, reference.P - 1))).hex()]


@pytest.mark.parametrize("text", [*SMALL_ORDER, *NOT_CANONICAL, *OUTSIDE, "58" * 31])
def test_unusable_point_is_refused_at_the_door_and_when_verified(text: str) -> None:
    with pytest.raises(edwards.MalformedGroupElementError):
        sharing.parse_commitments({"/": [text]})
    smuggled = Commitments(nodes={ROOT: (edwards.Point(bytes.fromhex(text)),)})
    with pytest.raises(edwards.MalformedGroupElementError):
        sharing.verify_commitments(GATE_ONLY, smuggled)


def test_commitments_survive_their_json_form() -> None:
    dealt = sharing.deal(TREE)
    document = json.loads(json.dumps(dealt.commitments.document()))
    assert sharing.parse_commitments(document) == dealt.commitments


@pytest.mark.parametrize("text", ["zz" * 32, "58 " + "66" * 31, edwards.BLINDING_BASE.hex().upper()])
def test_commitment_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(sharing.CommitmentsRefusedError):
        sharing.parse_commitments({"/": [text]})


def test_more_commitments_than_a_tree_has_are_refused_before_they_are_checked() -> None:
    with pytest.raises(sharing.CommitmentsRefusedError):
        sharing.parse_commitments({"/": ["00" * 32] * 1000})


@pytest.mark.parametrize(
    "tree",
    [
        of(0, "a"),
        of(2, "a"),
        of(1),
        of(1, "a", "a"),
        of(1, "a", of(1, "a", "b")),
        of(1, *map(str, range(33))),
    ],
)
def test_tree_over_which_nothing_can_be_shared_is_refused(tree: Node) -> None:
    with pytest.raises(MalformedShareTreeError):
        sharing.deal(tree)


def test_tree_that_is_too_deep_is_refused() -> None:
    tree: ShareTree = Leaf(name="a")
    for _ in range(QUORUM_DEPTH_MAX + 1):  # the deepest quorum, and the gate over it
        tree = of(1, tree)
    assert sharing.deal(tree).shares
    tree = of(1, tree)
    with pytest.raises(MalformedShareTreeError):
        sharing.deal(tree)


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(63), bytes(65), edwards.ORDER.to_bytes(32, "little") + bytes(32), bytes(32) + b"\xff" * 32],
)
def test_share_that_is_not_two_reduced_scalars_is_refused(raw: bytes) -> None:
    with pytest.raises(edwards.MalformedGroupElementError):
        sharing.parse_share(raw)


def test_seed_differs_with_context_and_secret() -> None:
    one, other = edwards.random_scalar(), edwards.random_scalar()
    seeds = {
        sharing.custody_seed(secret, context) for secret in (one, other) for context in (b"a", b"b", b"a\0")
    }
    assert len(seeds) == 2 * 3


def test_secrets_do_not_show_in_representations() -> None:
    dealt = sharing.deal(TREE)
    shown = repr(dealt) + repr(dealt.shares["ana"])
    for hidden in (dealt.secret, dealt.shares["ana"].value, dealt.shares["ana"].blinding):
        assert repr(hidden) not in shown
        assert hidden.hex() not in shown
