"""An objection after the recorded end of the window stops nothing where the parties agreed so."""

from dataclasses import replace
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.powers import AfterWindow
from tallystick.domain.agreement.windows import (
    IntakeEnd,
    IntakeWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.periods import Period
from tallystick.domain.statements.acts import Objection
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, DORA, KIM, agreement
from tests.support.worlds.world import World

LATE: Final = agreement(objection=replace(AGREEMENT.objection, after_window=AfterWindow.LATE))
WORD_OF_OTHERS: Final = replace(
    LATE,
    waits=Waits(
        intake=IntakeWait(then=IntakeEnd.GO_ON),
        unproven_notice=UnprovenNoticeWait(after=Period("P20D"), then=UnprovenNoticeEnd.ARBITRATOR),
    ),
    windows=replace(LATE.windows, intake=Period("P1D")),
    notice=replace(LATE.notice, deemed_after=None),
)
BY_KIM: Final = agreement(objection=replace(LATE.objection, objectors=(DORA, KIM)))
SERVED: Final = "bea files for critical\nana accepts\ndora acknowledges\n"
OVER: Final = f"{SERVED}the window ends\n"
ALL: Final = "bea files\nana accepts\ndora acknowledges\nthe window ends\n"
APPROVED: Final = "ana approves critical\nkim approves critical\ntom approves critical\n"

STORIES: Final[tuple[tuple[str, Agreement, str], ...]] = (
    (
        "an objection after the window stops nothing where the parties agreed so",
        LATE,
        f"{OVER}dora objects\n= APPROVAL\n{APPROVED}= PROVISIONING; critical DECIDED",
    ),
    (
        "an objection after the window stops the stage where they did not",
        AGREEMENT,
        f"{OVER}dora objects\n= CONTESTED\n{APPROVED}= CONTESTED; critical WAITING",
    ),
    (
        "an objection at the last moment of the window is in time",
        LATE,
        f"{SERVED}the last moment of the window comes\ndora objects\n= CONTESTED",
    ),
    (
        "an objection is in time until the end of the window is on record, whatever the hour is",
        LATE,
        """
        bea files for critical
        the gate is down
        ana accepts
        dora acknowledges
        60 days pass
        = WINDOW
        dora objects
        = CONTESTED
        """,
    ),
    ("a cure is never late before the decision", LATE, f"{OVER}dora objects as cured\n= CONTESTED"),
    (
        "an objection to a stage without a window is never late before its decision",
        LATE,
        f"{ALL}dora objects to provisional\n= CONTESTED",
    ),
    (
        "an objection to everything is not late while a stage without a window is undecided",
        LATE,
        f"{ALL}dora objects\n= CONTESTED",
    ),
    (
        "an objection is not late by a party whose notice was only deemed received",
        LATE,
        """
        bea files for critical
        ana accepts
        2 days pass
        = WINDOW
        the window ends
        = APPROVAL
        dora objects
        = CONTESTED
        """,
    ),
    (
        "an objection is not late by a party that was served only by the escrow agent's word",
        WORD_OF_OTHERS,
        """
        bea files for critical
        notices bounce
        1 day passes
        1 second passes
        ana and abe prove service
        the window ends
        = APPROVAL
        dora objects
        = CONTESTED
        """,
    ),
    (
        "an objection is not late by a party whose notice an arbitrator ruled to have been given",
        WORD_OF_OTHERS,
        """
        bea files for critical
        1 day passes
        1 second passes
        21 days pass
        kim rules that notice was given
        the window ends
        = APPROVAL
        dora objects
        = CONTESTED
        """,
    ),
    (
        "an objection is not late by a party that gets no notice at all",
        BY_KIM,
        f"{OVER}kim objects\n= CONTESTED",
    ),
    (
        "a late objection settles nothing and bars nobody from telling of a cure",
        LATE,
        f"{OVER}dora objects\ndora objects as cured\n= CONTESTED",
    ),
)


@pytest.mark.parametrize(("agreed", "tells"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES])
def test_story(agreed: Agreement, tells: str) -> None:
    play(tells, World(agreement=agreed))


def objected(agreed: Agreement) -> World:
    return play(f"{OVER}dora objects", World(agreement=agreed))


def last_event(claim: Claim) -> EventType:
    return next(step.event for step in reversed(claim.steps))


def test_a_late_objection_is_on_record_as_late_and_stays_there() -> None:
    world = objected(LATE)
    ((entry, _),) = world.claim.entries_of(Objection)
    assert last_event(world.claim) is EventType.LATE_OBJECTION_MADE
    assert world.claim.late == {entry.signed.id}
    assert world.refolded() == world.claim


def test_the_decision_rests_on_what_the_parties_agreed_about_late_objections() -> None:
    unmet = {one.premise for one in objected(LATE).decision("critical").unmet}
    assert "no-objection" not in unmet
    assert "no-objection" in {one.premise for one in objected(AGREEMENT).decision("critical").unmet}
