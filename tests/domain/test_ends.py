"""How each wait ends if nobody acts: as the parties chose, and not otherwise.

The times are plain durations, so that a story can count them in days.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.agreement.windows import (
    DisputeEnd,
    DisputeWait,
    HoldEnd,
    HoldWait,
    IntakeEnd,
    IntakeWait,
    RulingWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.inbox.waiting import Awaited, Waiting, waiting
from tallystick.domain.kinds import Kind, Outcome
from tallystick.domain.notice.sighting import sighting_of
from tallystick.domain.periods import Period
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.refusals import LeaveNotOpenError, NotDueError
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, DORA, KIM, TOM, agreement, quorum
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.world import World

_WINDOWS: Final = replace(AGREEMENT.windows, intake=Period("P2D"))
_BY_HAND: Final = replace(AGREEMENT.notice, deemed_after=None)


def ending(**waits: object) -> Agreement:
    """The sound agreement with these ends alone; only an acknowledgement proves notice."""
    return agreement(waits=Waits(**waits), windows=_WINDOWS, notice=_BY_HAND)  # type: ignore[arg-type]


def intake(then: IntakeEnd) -> Agreement:
    return ending(intake=IntakeWait(then=then))


def hold(then: HoldEnd) -> Agreement:
    return ending(hold=HoldWait(after=Period("P10D"), then=then))


def unproven(then: UnprovenNoticeEnd) -> Agreement:
    return ending(unproven_notice=UnprovenNoticeWait(after=Period("P20D"), then=then))


DISPUTE: Final = ending(
    dispute=DisputeWait(after=Period("P30D"), then=DisputeEnd.LAPSE),
    ruling=RulingWait(after=Period("P10D"), substitutes=quorum(TOM)),
)
NONE: Final = agreement(waits=None, notice=_BY_HAND)
TAKEN_IN: Final = "bea files for critical\nana accepts\n"
CONTESTED: Final = f"{TAKEN_IN}dora acknowledges\ndora objects\n"
APPROVED: Final = "ana approves critical\nkim approves critical\ntom approves critical\n"

STORIES: Final[tuple[tuple[str, Agreement, str], ...]] = (
    # ---------------------------------------------------------------- nobody acts
    ("no end is agreed: a claim waits to be taken in", NONE, "bea files\n400 days pass\n= FILED"),
    ("no end is agreed: a dispute stays open", NONE, f"{CONTESTED}400 days pass\n= CONTESTED"),
    ("no end is agreed: a hold stands", NONE, f"{TAKEN_IN}kim holds the claim\n400 days pass\n= ACCEPTED"),
    ("no end is agreed: notice stays unproven", NONE, f"{TAKEN_IN}400 days pass\n= ACCEPTED"),
    (
        "a claim that nobody takes in lapses after its time, and not at its last moment",
        intake(IntakeEnd.LAPSE),
        "bea files\n2 days pass\n= FILED\n1 second passes\n= LAPSED\n! claim-wrong-state: ana accepts",
    ),
    (
        "a claim that nobody takes in is taken in unchecked, and goes on as any other",
        intake(IntakeEnd.GO_ON),
        f"""
        bea files for critical
        2 days pass
        = FILED
        1 second passes
        = ACCEPTED
        ! claim-wrong-state: ana rejects
        dora acknowledges
        the window ends
        {APPROVED}
        = PROVISIONING; critical DECIDED
        """,
    ),
    (
        "what the agent filed for another is never taken in unchecked; its time runs from the confirmation",
        replace(intake(IntakeEnd.GO_ON), authorities=FILED_FOR.authorities),
        """
        ana files on behalf of halden
        5 days pass
        = FILED
        bea confirms
        2 days pass
        = FILED
        1 second passes
        = LAPSED
        """,
    ),
    (
        "a form that is refused in time is not passed over",
        intake(IntakeEnd.GO_ON),
        "bea files\n2 days pass\nana rejects\n3 days pass\n= NOT_ACCEPTED",
    ),
    (
        "a dispute that nobody settles ends the claim after its time, and not at its last moment",
        DISPUTE,
        f"{CONTESTED}30 days pass\n= CONTESTED\n1 second passes\n= LAPSED",
    ),
    (
        "a second objection does not lengthen the dispute",
        DISPUTE,
        f"{CONTESTED}20 days pass\ndirk objects\n10 days pass\n= CONTESTED\n1 second passes\n= LAPSED",
    ),
    (
        "a hold ends by itself after its review, and not at its last moment",
        hold(HoldEnd.GO_ON),
        f"""
        {TAKEN_IN}
        dora acknowledges
        the window ends
        kim holds the claim
        10 days pass
        {APPROVED}
        = APPROVAL; critical WAITING
        1 second passes
        = PROVISIONING; critical DECIDED
        """,
    ),
    (
        "approvals have their whole time again after a hold has ended by itself",
        hold(HoldEnd.GO_ON),
        f"{TAKEN_IN}dora acknowledges\nthe window ends\nkim holds the claim\n12 days pass\n= APPROVAL",
    ),
    (
        "a hold that nobody lifts ends the claim",
        hold(HoldEnd.LAPSE),
        f"{TAKEN_IN}kim holds the claim\n10 days pass\n= ACCEPTED\n1 second passes\n= LAPSED",
    ),
    (
        "a hold on a later stage ends no claim before its turn",
        hold(HoldEnd.LAPSE),
        "bea files\nana accepts\nkim holds source\n11 days pass\n= ACCEPTED",
    ),
    (
        "a hold goes to the arbitrator after its review, who then lifts it alone",
        hold(HoldEnd.ARBITRATOR),
        f"""
        {TAKEN_IN}
        ana holds the claim
        10 days pass
        ! not-authorised-to-state: kim lifts the hold
        1 second passes
        ! not-authorised-to-state: tom lifts the hold
        kim lifts the hold
        dora acknowledges
        the window ends
        {APPROVED}
        = PROVISIONING; critical DECIDED
        """,
    ),
    (
        "notice that is never proven ends the claim, counted from its acceptance if no channel took any",
        unproven(UnprovenNoticeEnd.LAPSE),
        f"notices bounce\n{TAKEN_IN}20 days pass\n= ACCEPTED\n1 second passes\n= LAPSED",
    ),
    (
        "notice that is never proven ends the claim, counted from the first letter that a channel took",
        unproven(UnprovenNoticeEnd.LAPSE),
        f"""
        notices bounce
        {TAKEN_IN}
        1 day passes
        notices arrive
        20 days pass
        = ACCEPTED
        2 days pass
        = LAPSED
        """,
    ),
    (
        "notice that is proven in time ends nothing",
        unproven(UnprovenNoticeEnd.LAPSE),
        f"{TAKEN_IN}19 days pass\ndora acknowledges\n2 days pass\n= WINDOW",
    ),
    (
        "notice that is never proven goes to the arbitrator, and waits there",
        unproven(UnprovenNoticeEnd.ARBITRATOR),
        f"{TAKEN_IN}400 days pass\n= ACCEPTED",
    ),
    # ---------------------------------------------------------------- a hold and a long-stop
    (
        "a dispute ends no claim while a hold stands, and has its whole time again afterwards",
        DISPUTE,
        f"""
        {CONTESTED}
        kim holds the claim
        40 days pass
        = CONTESTED
        ana and tom lift the hold
        30 days pass
        = CONTESTED
        1 second passes
        = LAPSED
        """,
    ),
    (
        "a claim under a hold is neither taken in unchecked nor ended",
        intake(IntakeEnd.GO_ON),
        "bea files\nkim holds the claim\n9 days pass\n= FILED\nana accepts\n= ACCEPTED",
    ),
    (
        "unproven notice ends no claim while a hold stands",
        unproven(UnprovenNoticeEnd.LAPSE),
        f"{TAKEN_IN}kim holds the claim\n40 days pass\n= ACCEPTED",
    ),
    # ---------------------------------------------------------------- who may act in whose place
    (
        "substitutes rule once the time of the arbitrator is over, and the first ruling counts",
        DISPUTE,
        f"""
        {CONTESTED}
        10 days pass
        ! not-authorised-to-state: tom rules to release
        1 second passes
        tom rules to release
        ! ruling-taken: kim rules to refuse
        ! not-authorised-to-state: tom rules to refuse
        """,
    ),
    (
        "the arbitrator may still rule when substitutes may",
        DISPUTE,
        f"{CONTESTED}11 days pass\nkim rules to refuse\n= REFUSED",
    ),
    (
        "an arbitrator rules that notice was given only after its time, and only while nothing proves it",
        unproven(UnprovenNoticeEnd.ARBITRATOR),
        f"""
        {TAKEN_IN}
        20 days pass
        ! leave-not-open: kim rules that notice was given
        1 second passes
        ! not-authorised-to-state: tom rules that notice was given
        kim rules that notice was given
        = WINDOW
        ! leave-not-open: kim rules that notice was given
        the last moment of the window comes
        = WINDOW
        dora objects
        = CONTESTED
        """,
    ),
    (
        "no arbitrator rules on notice where the parties chose that the claim lapses",
        unproven(UnprovenNoticeEnd.LAPSE),
        f"{TAKEN_IN}kim holds the claim\n21 days pass\n! leave-not-open: kim rules that notice was given",
    ),
)


@pytest.mark.parametrize(("agreed", "tells"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES])
def test_story(agreed: Agreement, tells: str) -> None:
    play(tells, World(agreement=agreed))


def awaited(world: World, what: Awaited) -> Waiting:
    (item,) = (one for one in waiting(world.agreement, world.claim, world.now) if one.what is what)
    return item


@pytest.mark.parametrize(
    ("agreed", "story", "what", "end"),
    [
        (intake(IntakeEnd.LAPSE), "bea files", Awaited.INTAKE, "intake"),
        (DISPUTE, CONTESTED, Awaited.SETTLEMENT, "dispute"),
        (hold(HoldEnd.GO_ON), f"{TAKEN_IN}kim holds the claim", Awaited.HOLD_LIFT, f"hold:{KIM}"),
        (unproven(UnprovenNoticeEnd.LAPSE), TAKEN_IN, Awaited.ACKNOWLEDGEMENT, "notice-overdue"),
    ],
)
def test_the_inbox_names_the_end_that_is_counted(
    agreed: Agreement, story: str, what: Awaited, end: str
) -> None:
    world = play(story, World(agreement=agreed))
    ends = {one.what: one.at for one in deadlines(agreed, world.claim, world.now)}
    assert awaited(world, what).until == ends[end]
    assert "no end is agreed" not in awaited(world, what).why
    unended = play(story, World(agreement=replace(NONE, windows=_WINDOWS)))
    assert "no end is agreed" in awaited(unended, what).why


def test_the_inbox_asks_substitutes_and_arbitrators_from_the_moment_at_which_they_may_act() -> None:
    disputed = play(f"{CONTESTED}10 days pass", World(agreement=DISPUTE))
    assert TOM not in awaited(disputed, Awaited.SETTLEMENT).on
    assert TOM in awaited(play("1 second passes", disputed), Awaited.SETTLEMENT).on
    unnotified = World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR))
    assert awaited(play(f"{TAKEN_IN}21 days pass", unnotified), Awaited.LEAVE).on == (KIM,)


def test_leave_that_a_stolen_key_signed_proves_no_notice() -> None:
    world = World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR))
    play(f"{TAKEN_IN}21 days pass\nkim rules that notice was given\n= WINDOW", world)
    play("the window ends\n= APPROVAL\nkim revokes their own key", world)
    unmet = {one.premise for one in world.decision("critical").unmet}
    assert "notice-proven" in unmet


def test_leave_settles_no_objection() -> None:
    world = World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR))
    play(f"{TAKEN_IN}dora objects to critical\n= CONTESTED", world)
    assert world.claim.open_objections
    partly = World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR))
    play("bea files\nana accepts\ndora objects to source\n21 days pass", partly)
    play("kim rules that notice was given\n= WINDOW", partly)
    assert len(partly.claim.open_objections) == 1


def test_the_gate_signs_when_it_saw_the_leave_however_early_it_saw_a_letter() -> None:
    world = World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR))
    play(f"{TAKEN_IN}21 days pass\nthe gate is down\nkim rules that notice was given", world)
    assert sighting_of(world.claim) is None, "the sighting of the letter tells nothing about the leave"
    play("5 days pass\nthe gate works", world)
    sighting = sighting_of(world.claim)
    assert sighting is not None
    assert sighting.issued_at == world.now
    play("the window ends\n= WINDOW", world)


def test_only_an_arbitrator_rules_that_notice_was_given() -> None:
    world = play(f"{TAKEN_IN}21 days pass", World(agreement=unproven(UnprovenNoticeEnd.ARBITRATOR)))
    with pytest.raises(LeaveNotOpenError):
        world.instructs(DORA, "bea@halden", outcome=Outcome.NOTICE_GIVEN)


@pytest.mark.parametrize("happening", ["intake-lapsed", "dispute-lapsed", "hold-ended", "taken-in-unchecked"])
def test_the_engine_ends_no_wait_before_its_time(happening: str) -> None:
    world = play("bea files", World(agreement=intake(IntakeEnd.LAPSE), engine_runs=False))
    with pytest.raises(NotDueError):
        world.records(Kind.EVENT, happening=EventType(happening), because=())


SHORT: Final = tuple(replace(one, covers_until=date(2027, 1, 31), holidays=()) for one in AGREEMENT.calendars)
FAR: Final = Period("60 business days")


def short(**waits: object) -> World:
    """A claim that was taken in, and whose waits end after the calendars do."""
    agreed = agreement(waits=Waits(**waits), calendars=SHORT)  # type: ignore[arg-type]
    return play("bea files for critical\nana accepts\ndora acknowledges", World(agreement=agreed))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.REFUSE, ClaimState.REFUSED), (Outcome.RELEASE, ClaimState.WINDOW)],
    ids=["refuse", "release"],
)
def test_arbitrators_rule_though_no_calendar_says_when_substitutes_may(
    outcome: Outcome, state: ClaimState
) -> None:
    world = play("dora objects\n= CONTESTED", short(ruling=RulingWait(after=FAR, substitutes=quorum(TOM))))
    world.rules(KIM, outcome=outcome)
    assert world.claim.state is state


def test_those_who_lift_holds_do_though_no_calendar_says_when_the_arbitrator_may() -> None:
    world = play("kim holds the claim", short(hold=HoldWait(after=FAR, then=HoldEnd.ARBITRATOR)))
    world.lifts()
    assert not world.claim.frozen


def test_a_hold_whose_end_no_calendar_reaches_keeps_nothing_else_waiting() -> None:
    world = short(hold=HoldWait(after=FAR, then=HoldEnd.GO_ON))
    play("kim holds the claim\nthe window ends\n= APPROVAL", world)
    assert next_look(world.agreement, world.claim, at=world.now) is not None


def test_after_a_calendars_end_nothing_is_recorded_that_a_longer_one_could_contradict() -> None:
    world = short(hold=HoldWait(after=FAR, then=HoldEnd.GO_ON))
    play("kim holds the claim\nthe window ends", world)
    with pytest.raises(CalendarExhaustedError):
        due(world.agreement, world.claim, at=datetime(2027, 1, 31, tzinfo=UTC))
