"""Drafts from templates: what the linter finds in each, and who sits where."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tallystick.desk.templates.filling import (
    SparePartyError,
    SpareSeatError,
    TemplateName,
    edits,
    filled,
    read_parties,
)
from tallystick.domain.errors import MalformedNameError
from tallystick.domain.ids import PartyId
from tallystick.domain.soundness.check import examine
from tallystick.domain.soundness.finding import Severity
from tests.support.stories.template_agreements import agreement_of, particulars_for

BEGINS = date(2026, 12, 1)
FOUND = {
    TemplateName.THREE_PARTY: {
        "agent-alone": 3,
        "court-order-one-party": 1,
        "hold-lift-needs-party": 1,
        "notice-refusable": 1,
    },
    TemplateName.FOUR_PARTY: {
        "approval-needs-one-of-two": 3,
        "court-order-one-party": 1,
    },
    TemplateName.MULTI_BENEFICIARY: {},
    TemplateName.SOURCE_ONLY: {},
}


@pytest.mark.parametrize("template", TemplateName)
def test_the_linter_finds_in_a_template_what_its_comments_say_and_no_more(template: TemplateName) -> None:
    draft = filled(template, particulars_for(template, begins=BEGINS))
    findings = examine(agreement_of(draft), at=datetime(2026, 12, 1, tzinfo=UTC))
    assert Counter(finding.code for finding in findings) == FOUND[template]
    assert {finding.severity for finding in findings} <= {Severity.WARNING}
    comments = " ".join(line for line in draft.splitlines() if line.startswith("#"))
    assert [code for code in FOUND[template] if f"({code})" not in comments] == []


@pytest.mark.parametrize("template", TemplateName)
def test_a_draft_seats_those_who_were_named_and_marks_every_line_to_edit(
    template: TemplateName,
) -> None:
    chosen = particulars_for(template, begins=BEGINS)
    draft = filled(template, chosen)
    agreement = agreement_of(draft)
    assert {person.id for person in agreement.persons} >= set(chosen.persons)
    assert agreement.effective_from == datetime(2026, 12, 1, tzinfo=UTC)
    assert "${" not in draft
    lines = draft.splitlines()
    marked = [int(edit.split()[1].rstrip(":")) for edit in edits(draft)]
    assert [number for number, line in enumerate(lines, 1) if "EDIT" in line] == marked
    assert all(number in marked for number, line in enumerate(lines, 1) if "{pub: " in line)


def test_a_seat_that_nobody_was_named_for_is_called_by_its_number() -> None:
    agreement = agreement_of(
        filled(TemplateName.THREE_PARTY, particulars_for(TemplateName.THREE_PARTY, begins=BEGINS))
    )
    assert [one.id for one in agreement.acting_for(PartyId("harbour"))] == [
        "ana@harbour",
        "abe@harbour",
        "third@harbour",
    ]


def test_a_person_without_a_seat_is_refused() -> None:
    chosen = particulars_for(TemplateName.MULTI_BENEFICIARY, begins=BEGINS)
    with pytest.raises(SpareSeatError) as refused:
        filled(TemplateName.THREE_PARTY, chosen)
    assert refused.value.facts["persons"] == ["kim@kestrel", "tom@marlowe"]


def test_a_title_stays_one_value_whatever_is_in_it() -> None:
    title = 'Ä: "B" # 漢 ${id} \\'
    chosen = replace(particulars_for(TemplateName.SOURCE_ONLY, begins=BEGINS), title=title)
    assert agreement_of(filled(TemplateName.SOURCE_ONLY, chosen)).title == title


def test_ids_of_parties_are_read_and_a_part_that_the_template_lacks_is_refused() -> None:
    assert read_parties(TemplateName.THREE_PARTY, ["agent=harbour"]) == {"agent": "harbour"}
    with pytest.raises(SparePartyError) as refused:
        read_parties(TemplateName.THREE_PARTY, ["arbitrator=kestrel"])
    assert refused.value.facts["parts"] == ["depositor", "beneficiary", "agent"]
    with pytest.raises(MalformedNameError):
        read_parties(TemplateName.THREE_PARTY, ["agent=No Name"])
