"""Release conditions: booleans over evidence, read strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.agreement.conditions import Condition, Expression
from tallystick.domain.codec import MalformedDocumentError, decode, encode
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonValue
from tallystick.limits.agreements import CONDITION_DEPTH_MAX
from tallystick.limits.documents import LIST_LENGTH_MAX

INSOLVENCY = Expression.from_json({"all_of": ["record", {"any_of": ["outage", "declaration"]}]}, "")


@pytest.mark.parametrize(
    ("items", "met"),
    [
        (set[str](), False),
        ({"record"}, False),
        ({"outage", "declaration"}, False),
        ({"record", "outage"}, True),
        ({"record", "declaration"}, True),
        ({"record", "outage", "declaration", "more"}, True),
    ],
)
def test_condition_is_met_by_what_it_asks_for(items: set[str], met: bool) -> None:
    assert INSOLVENCY.met_by(frozenset(items)) is met


def test_items_are_all_that_the_expression_names() -> None:
    assert INSOLVENCY.items == {"record", "outage", "declaration"}


REFUSED: list[JsonValue] = [
    None,
    7,
    True,
    [],
    {},
    {"all_of": []},
    {"any_of": []},
    {"all_of": "record"},
    {"all_of": ["a"], "any_of": ["b"]},
    {"none_of": ["a"]},
    {"all_of": [{"any_of": []}]},
    "Not A Name",
    "",
]


@pytest.mark.parametrize("value", REFUSED)
def test_other_expression_is_refused(value: JsonValue) -> None:
    with pytest.raises(MalformedError) as caught:
        decode(Expression, value, "/when")
    assert str(caught.value.facts["at"]).startswith("/when")


def nested(depth: int) -> JsonValue:
    value: JsonValue = "record"
    for _ in range(depth):
        value = {"all_of": [value]}
    return value


def test_depth_is_bounded() -> None:
    assert Expression.from_json(nested(CONDITION_DEPTH_MAX), "").items == {"record"}
    with pytest.raises(MalformedDocumentError):
        Expression.from_json(nested(CONDITION_DEPTH_MAX + 1), "")


def test_condition_without_exclusion_writes_none() -> None:
    condition = Condition(id="c", title="C", when=INSOLVENCY)
    assert encode(condition) == {"id": "c", "title": "C", "when": INSOLVENCY.to_json(), "stressed": True}
    assert decode(Condition, encode(condition)) == condition


ITEMS = ["a", "b", "c", "d"]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> JsonValue:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(ITEMS))
    parts = [draw(expressions(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    return {draw(st.sampled_from(["all_of", "any_of"])): parts}


@given(expressions(), st.sets(st.sampled_from(ITEMS)), st.sampled_from(ITEMS))
def test_more_evidence_never_undoes_a_condition(value: JsonValue, items: set[str], more: str) -> None:
    expression = decode(Expression, value)
    assert encode(expression) == value
    assert expression.met_by(frozenset(items)) <= expression.met_by(frozenset({*items, more}))


@given(expressions())
def test_no_evidence_meets_nothing_and_all_of_it_meets_everything(value: JsonValue) -> None:
    expression = Expression.from_json(value, "")
    assert not expression.met_by(frozenset())
    assert expression.met_by(expression.items)


def test_no_expression_names_more_items_than_an_agreement_may_have() -> None:
    many: JsonValue = {"any_of": [{"all_of": [f"paper-{n}", f"copy-{n}"]} for n in range(33)]}
    with pytest.raises(MalformedDocumentError, match="too many"):
        Expression.from_json(many, "")


def test_no_expression_names_items_more_often_than_a_list_may_have_members() -> None:
    Expression.from_json({"all_of": ["a"] * LIST_LENGTH_MAX}, "")
    with pytest.raises(MalformedDocumentError, match="too many evidence items"):
        Expression.from_json({"any_of": ["a", {"all_of": ["a"] * LIST_LENGTH_MAX}]}, "")
