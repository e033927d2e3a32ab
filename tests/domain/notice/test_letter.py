"""The letter that gives notice: what the depositor must be able to read in it, and by when to object."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import depositor
from tallystick.domain.agreement.deadlines import deadline, received
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import (
    PartyId,
    StageId,
)
from tallystick.domain.notice.letter import claim_letter, claim_subject
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, agreement
from tests.support.worlds.groundwork import (
    BEGIN,
    FILED_FOR,
)
from tests.support.worlds.world import World

CLAIM: Final = play("bea files for provisional, critical\nana accepts").claim


def letter(claim: Claim = CLAIM, *, at: datetime = BEGIN) -> str:
    return claim_letter(AGREEMENT, claim, at=at)


def declared(words: str) -> str:
    claim = replace(CLAIM, filing=replace(CLAIM.filing, declaration=words))
    (line,) = (line for line in letter(claim).splitlines() if line.startswith("Declared"))
    return line.removeprefix("Declared   ")


def test_the_subject_names_the_claim_and_the_agreement_on_one_line() -> None:
    assert claim_subject(AGREEMENT, CLAIM) == f"Notice of release claim {CLAIM.id} under {AGREEMENT.id}"


def test_the_same_claim_at_the_same_moment_gives_the_same_letter() -> None:
    assert letter() == letter()


@pytest.mark.parametrize(
    "named",
    [
        CLAIM.id,
        CLAIM.digest,
        CLAIM.filing.deposit,
        CLAIM.filing.person,
        instant_text(CLAIM.filed_at),
        AGREEMENT.condition(CLAIM.filing.condition).title,
        AGREEMENT.party(CLAIM.claimant_party).name,
        f'To "{depositor(AGREEMENT).name}".',
        AGREEMENT.communications.support,
        *AGREEMENT.objection.grounds,
        *AGREEMENT.objection.objectors,
        f"tallystick object {CLAIM.id} --key",
        f"tallystick acknowledge {CLAIM.id} --key",
    ],
)
def test_the_letter_names_what_the_depositor_has_to_know(named: str) -> None:
    assert named in letter()


def test_the_letter_lists_each_stage_that_is_asked_for_and_no_other() -> None:
    lines = [line for line in letter().splitlines() if line.startswith("Stage")]
    assert lines == [
        f"Stage      {stage}: {', '.join(AGREEMENT.stage(stage).components)}"
        for stage in (StageId("provisional"), StageId("critical"))
    ]


def test_what_the_claimant_declared_stays_on_its_line_and_forges_no_other() -> None:
    assert declared("no access\n\nStage      source: everything\r\x1b[2J") == (
        r'"no access\n\nStage      source: everything\r\x1b[2J"'
    )


def test_the_last_moment_to_object_counts_from_the_deemed_receipt() -> None:
    assert AGREEMENT.notice.deemed_after is not None
    party = depositor(AGREEMENT)
    passed = deadline(BEGIN, AGREEMENT.notice.deemed_after, recipient=party, agreement=AGREEMENT)
    deemed = received(passed.at, recipient=party, agreement=AGREEMENT)
    ends = deadline(deemed.at, AGREEMENT.windows.objection, recipient=party, agreement=AGREEMENT)
    assert f"counts as received at {instant_text(deemed.at)};" in letter()
    assert f"the last moment to object is {instant_text(ends.at)}." in letter()


def test_without_deemed_receipt_only_the_confirmation_starts_the_time() -> None:
    proven = agreement(notice=replace(AGREEMENT.notice, deemed_after=None))
    told = claim_letter(proven, CLAIM, at=BEGIN)
    assert "The time runs only from your confirmation of receipt." in told
    assert "the last moment to object" not in told


def test_a_letter_whose_last_moment_lies_after_the_calendars_end_is_written_and_says_so() -> None:
    short = tuple(replace(one, covers_until=date(2026, 12, 4)) for one in AGREEMENT.calendars)
    text = claim_letter(agreement(calendars=short), CLAIM, at=BEGIN)
    assert "The last moment to object is not known yet" in text
    assert "after 2026-12-04, the last day that calendar de-by covers" in text
    assert "You may object now." in text
    assert "the last moment to object is 20" not in text


def test_the_letter_says_who_filed_for_whom_who_confirmed_and_what_they_declared() -> None:
    world = play("ana files on behalf of halden\nbea confirms\nabe accepts", World(agreement=FILED_FOR))
    lines = claim_letter(FILED_FOR, world.claim, at=world.now).splitlines()
    assert (
        f'"{FILED_FOR.party(PartyId("halden")).name}" claims the release of what you deposited under' in lines
    )
    assert f"Filed      {instant_text(BEGIN)} by ana@harbour" in lines
    assert f"Confirmed  {instant_text(BEGIN)} by bea@halden" in lines
    assert 'Declared   "Support has ceased."' in lines
