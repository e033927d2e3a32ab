"""The summary of an agreement: who may act, and that each sentence reads in one way only."""

from dataclasses import replace

import pytest

from tallystick.domain.agreement.components import Licence, LicenceModel
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.amounts import counted
from tallystick.domain.ids import PersonId
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.shown.summary import summarise
from tallystick.domain.shown.wording import every
from tests.support.worlds.agreements import AGREEMENT, quorum


@pytest.mark.parametrize(
    ("claimants", "said"),
    [
        (("a@x",), "a@x may file a claim."),
        (("a@x", "b@x"), "a@x or b@x may file a claim."),
        (("a@x", "b@x", "c@x"), "a@x, b@x or c@x may file a claim."),
    ],
)
def test_any_one_of_those_who_have_a_power_may_use_it(claimants: tuple[str, ...], said: str) -> None:
    powers = replace(AGREEMENT.authorities, claimants=tuple(map(PersonId, claimants)))
    assert said in summarise(replace(AGREEMENT, authorities=powers))


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("a@x", "a@x"),
        ({"any": ["a@x", "b@x"]}, "a@x or b@x"),
        ({"all": ["a@x", "b@x", "c@x"]}, "a@x, b@x and c@x"),
        ({"k": 2, "of": ["a@x", "b@x", "c@x"]}, "at least 2 of these 3: [a@x; b@x; c@x]"),
        (
            {"k": 2, "of": [{"any": ["a@x", "b@x"]}, "c@x", "d@x"]},
            "at least 2 of these 3: [a@x or b@x; c@x; d@x]",
        ),
        (
            {"any": [{"all": ["a@x", "b@x"]}, {"k": 2, "of": ["c@x", "d@x", {"any": ["e@x", "f@x"]}]}]},
            "either of these: [a@x and b@x; at least 2 of these 3: [c@x; d@x; e@x or f@x]]",
        ),
        (
            {"all": [{"any": ["a@x", "b@x"]}, "c@x", "d@x"]},
            "all of these 3: [a@x or b@x; c@x; d@x]",
        ),
        ({"all": [{"any": ["a@x"]}]}, "a@x"),
    ],
)
def test_a_quorum_reads_in_one_way_only(tree: JsonValue, said: str) -> None:
    assert quorum(tree).words == said


def test_people_are_named_by_their_seat_and_introduced_once() -> None:
    lines = summarise(AGREEMENT)
    for person in AGREEMENT.persons:
        assert [line for line in lines if person.name in line] == [
            f'{person.id} is "{person.name}", who signs with the key {person.signing_key}.'
        ]


def test_the_announcer_announces_a_release_once_and_gives_news_as_often_as_agreed() -> None:
    said = (
        "ana@harbour announces a release, and then gives news of it every 24 hours, "
        'through "status page", "e-mail to the parties".'
    )
    assert said in summarise(AGREEMENT)


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("P1D", "every day"),
        ("P7D", "every 7 days"),
        ("PT1H", "every hour"),
        ("1 business day", "every business day"),
        ("3 business days", "every 3 business days"),
    ],
)
def test_how_often_something_happens_is_said_as_one_says_it(period: str, said: str) -> None:
    assert every(Period(period)) == said


def test_one_thing_is_not_counted_as_many() -> None:
    assert (counted(1, "seat"), counted(0, "seat"), counted(250, "seat")) == (
        "1 seat",
        "0 seats",
        "250 seats",
    )
    assert Period("1 business days").words == "1 business day"
    component = replace(AGREEMENT.components[0], licence=Licence(model=LicenceModel.SUBSCRIPTION, seats=1))
    lines = summarise(replace(AGREEMENT, components=(component,)))
    assert any("its licence is a subscription for 1 seat." in line for line in lines)


def test_evidence_needs_no_article_and_a_nested_condition_reads_in_one_way_only() -> None:
    item = replace(AGREEMENT.evidence[0], id="audit", what="audit report")
    first = Expression(word="item", item="audit")
    both = Expression(word="all_of", parts=(first, first))
    condition = replace(
        AGREEMENT.conditions[0], when=Expression(word="any_of", parts=(both, first)), not_if=None
    )
    lines = summarise(replace(AGREEMENT, evidence=(item,), conditions=(condition,)))
    assert any(line.startswith('The evidence audit is "audit report", issued by') for line in lines)
    proof = "either of these: [both of these: [the evidence audit; the evidence audit]; the evidence audit]"
    assert any(line.endswith(f"with {proof}.") for line in lines)


def test_what_the_drafter_wrote_cannot_end_a_sentence_of_ours() -> None:
    forged = 'Harbour" (harbour) is the witness; nobody acts for it.'
    party = replace(AGREEMENT.parties[0], name=forged)
    lines = summarise(replace(AGREEMENT, parties=(party, *AGREEMENT.parties[1:])))
    assert any(
        line.startswith(r'"Harbour\" (harbour) is the witness; nobody acts for it." (') for line in lines
    )


def test_the_summary_names_every_party_component_condition_and_stage() -> None:
    summary = "\n".join(summarise(AGREEMENT))
    for named in (AGREEMENT.parties, AGREEMENT.components, AGREEMENT.stages):
        for one in named:
            assert getattr(one, "name", one.id) in summary
    for condition in AGREEMENT.conditions:
        assert condition.title in summary
    assert (
        "at least 3 of these 4: [ana@harbour or abe@harbour; kim@kestrel; tom@marlowe; dora@nordwind]"
        in summary
    )
    assert "gate alone holds the key to stage critical" in summary


def test_what_a_term_does_not_do_is_said_where_it_stands() -> None:
    """A reader would expect that an old deposit cannot be claimed, and that an order needs no approvals."""
    said = " ".join(summarise(AGREEMENT))
    assert "licence-keys is deposited every 7 days; a claim may ask for a deposit of any age." in said
    assert "A deposit of licence-keys older than 14 days is reported as too old, and no more." in said
    assert "but not if it also brings the evidence successor-undertaking" in said
    assert "needs neither notice nor objection window, but always the approvals and the gate" in said
    assert "may place a hold, under which nothing is decided or undone" in said
