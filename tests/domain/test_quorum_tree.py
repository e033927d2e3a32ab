"""Quorum trees: what may be written and what it means; nobody counts twice."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.codec import decode, decode_with_defaults, encode
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import PersonId
from tallystick.domain.json import JsonValue
from tallystick.domain.quorum import Group, MalformedQuorumError, Quorum
from tallystick.limits.agreements import QUORUM_DEPTH_MAX, QUORUM_LEAVES_MAX

ANA, ABE, KIM, TOM, DORA = (PersonId(f"{name}@x") for name in ("ana", "abe", "kim", "tom", "dora"))
RELEASE = Quorum.from_json({"k": 3, "of": [{"any": [ANA, ABE]}, KIM, TOM, DORA]}, "")


@pytest.mark.parametrize(
    ("persons", "met"),
    [
        (set[PersonId](), False),
        ({ANA, ABE}, False),
        ({ANA, ABE, KIM}, False),  # the agent's two count as one
        ({ANA, KIM, TOM}, True),
        ({KIM, TOM, DORA}, True),
        ({ABE, KIM, DORA, TOM}, True),
        ({KIM, TOM, PersonId("eve@x")}, False),
    ],
)
def test_two_persons_of_an_any_count_once(persons: set[PersonId], met: bool) -> None:
    assert RELEASE.satisfied_by(frozenset(persons)) is met


def test_persons_are_all_whom_the_tree_names() -> None:
    assert RELEASE.persons == {ANA, ABE, KIM, TOM, DORA}


def test_one_person_is_a_tree_of_one() -> None:
    tree = decode_with_defaults(Quorum, "ana@x")
    assert tree.root == Group(threshold=1, members=(ANA,))
    assert encode(tree) == {"all": ["ana@x"]}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"k": 2, "of": ["a@x", "b@x"]}, {"all": ["a@x", "b@x"]}),
        ({"k": 1, "of": ["a@x", "b@x"]}, {"any": ["a@x", "b@x"]}),
        ({"any": ["a@x"]}, {"all": ["a@x"]}),
        ({"k": 2, "of": ["a@x", "b@x", "c@x"]}, {"k": 2, "of": ["a@x", "b@x", "c@x"]}),
    ],
)
def test_tree_has_one_written_form(value: JsonValue, written: JsonValue) -> None:
    assert encode(decode_with_defaults(Quorum, value)) == written
    if value != written:
        with pytest.raises(MalformedError):
            decode(Quorum, value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        ["a@x"],
        {},
        {"k": 1},
        {"of": ["a@x"]},
        {"any": []},
        {"all": []},
        {"any": "a@x"},
        {"k": 0, "of": ["a@x"]},
        {"k": -1, "of": ["a@x"]},
        {"k": 2, "of": ["a@x"]},
        {"k": True, "of": ["a@x"]},
        {"k": "1", "of": ["a@x"]},
        {"k": 1, "any": ["a@x"]},
        {"any": ["a@x"], "all": ["b@x"]},
        {"k": 1, "of": ["a@x"], "weight": 2},
        {"any": ["not a person"]},
        {"any": [{"k": 0, "of": ["a@x"]}, "b@x"]},
        {"all": ["a@x", "a@x"]},
        {"all": ["a@x", {"any": ["b@x", "a@x"]}]},
    ],
)
def test_tree_that_cannot_be_counted_honestly_is_refused(value: JsonValue) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_with_defaults(Quorum, value, "/quorum")
    assert str(caught.value.facts["at"]).startswith("/quorum")


def people(count: int) -> list[JsonValue]:
    return [f"p{number}@x" for number in range(count)]


def test_the_number_of_persons_is_bounded() -> None:
    assert len(Quorum.from_json({"any": people(QUORUM_LEAVES_MAX)}, "").persons) == QUORUM_LEAVES_MAX
    with pytest.raises(MalformedQuorumError, match="too many persons"):
        Quorum.from_json({"any": people(QUORUM_LEAVES_MAX + 1)}, "")


def nested(depth: int) -> JsonValue:
    value: JsonValue = "a@x"
    for _ in range(depth):
        value = {"all": [value]}
    return value


def test_depth_is_bounded() -> None:
    assert Quorum.from_json(nested(QUORUM_DEPTH_MAX), "").persons == {"a@x"}
    with pytest.raises(MalformedQuorumError):
        Quorum.from_json(nested(QUORUM_DEPTH_MAX + 1), "")
    with pytest.raises(MalformedQuorumError):
        Quorum.from_json(nested(10_000), "")


@st.composite
def trees(draw: st.DrawFn) -> Quorum:
    """Two levels over up to nine persons, each named once."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    names = iter(people(9))
    members: list[JsonValue] = []
    for size in sizes:
        group = list(itertools.islice(names, size))
        members.append({"k": draw(st.integers(1, size)), "of": group})
    return Quorum.from_json({"k": draw(st.integers(1, len(sizes))), "of": members}, "")


@given(trees())
def test_tree_survives_being_written_down(tree: Quorum) -> None:
    assert decode(Quorum, encode(tree)) == tree


@given(trees())
def test_silence_never_suffices_and_everyone_does(tree: Quorum) -> None:
    assert not tree.satisfied_by(frozenset())
    assert tree.satisfied_by(tree.persons)


@given(trees(), st.data())
def test_one_more_person_never_undoes_a_quorum(tree: Quorum, data: st.DataObject) -> None:
    persons = data.draw(st.sets(st.sampled_from(sorted(tree.persons))))
    more = data.draw(st.sampled_from(sorted(tree.persons)))
    assert tree.satisfied_by(frozenset(persons)) <= tree.satisfied_by(frozenset({*persons, more}))


@given(trees(), st.data())
def test_tree_counts_like_the_definition(tree: Quorum, data: st.DataObject) -> None:
    persons = data.draw(st.sets(st.sampled_from(sorted(tree.persons))))
    met = 0
    for group in tree.root.members:
        assert isinstance(group, Group)
        met += len(persons & set(group.members)) >= group.threshold
    assert tree.satisfied_by(frozenset(persons)) is (met >= tree.root.threshold)
