"""What falls due, when, and when to look next."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest

from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.stages import report_due, to_give_back, to_roll_back
from tallystick.domain.claim.state import ENDED, ClaimState, StageState
from tallystick.domain.kinds import Happening, Kind, ReceiptOutcome
from tallystick.domain.pauses import backoff
from tallystick.domain.periods import Period
from tallystick.domain.progress.attempts import gate_pause, notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.statements.engine import Event
from tallystick.limits.steps import GATE_RETRY_MAX, GATE_RETRY_MIN, NOTICE_RETRY_MAX, NOTICE_RETRY_MIN
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.groundwork import BEGIN
from tests.support.worlds.world import SECOND, World

ALL_APPROVE: Final = """
    ana approves provisional, critical, source
    kim approves provisional, critical, source
    tom approves provisional, critical, source
"""


def looked_at_every_second_that_matters(world: World, until: datetime) -> list[tuple[str, datetime]]:
    """What the engine records if it looks only when `next_look` says."""
    world.at(until)
    return [
        (entry.signed.body.happening.value, entry.accepted_at)
        for entry in world.entries
        if isinstance(entry.signed.body, Event)
    ]


def test_looking_only_at_the_next_look_records_everything_to_the_second() -> None:
    world = play("bea files\nana accepts")
    happened = looked_at_every_second_that_matters(world, BEGIN + timedelta(days=60))
    opened = BEGIN + timedelta(days=1)  # deemed received a day after sending, in business hours
    ended = datetime.fromisoformat("2026-12-09T16:00:01Z")
    lapsed = datetime.fromisoformat("2026-12-16T16:00:01Z")
    assert happened == [("window-opened", opened), ("window-ended", ended), ("lapsed", lapsed)]
    assert next_look(AGREEMENT, world.claim, at=world.now) is None or world.claim.state in ENDED


def test_looking_more_often_records_nothing_more() -> None:
    rarely, often = play("bea files\nana accepts"), play("bea files\nana accepts")
    rarely.at(BEGIN + timedelta(days=30))
    for hours in range(3, 30 * 24 + 1, 3):
        often.at(BEGIN + timedelta(hours=hours))
    assert [e.signed.body for e in rarely.entries] == [e.signed.body for e in often.entries]


def test_time_alone_never_approves() -> None:
    """No timeout may stand for a person's word."""
    for tells in (
        "bea files",
        "bea files\nana accepts",
        "bea files\nana accepts\ndora objects",
        "bea files\nana accepts\nkim holds the claim",
        "bea files\nana accepts\nkim approves provisional, critical",
    ):
        world = play(tells)
        world.at(BEGIN + timedelta(days=300))
        assert all(progress.decision is None for progress in world.claim.stages)


def test_filed_claim_waits_for_people_only_where_no_end_is_agreed() -> None:
    agreed = replace(AGREEMENT, waits=None)
    world = play("bea files", World(agreement=agreed))
    assert due(agreed, world.claim, at=BEGIN + timedelta(days=300)) is None
    assert next_look(agreed, world.claim, at=world.now) is None
    assert notice_due_at(agreed, world.claim) is None


def test_notice_is_tried_again_after_growing_pauses_until_it_is_accepted() -> None:
    world = play("bea files\nnotices bounce\nana accepts")
    world.at(BEGIN + timedelta(days=2))
    sent = [entry.accepted_at for entry, _ in world.claim.notices]
    waits = [later - earlier for earlier, later in pairwise(sent)]
    assert waits[:3] == [NOTICE_RETRY_MIN, NOTICE_RETRY_MIN * 2, NOTICE_RETRY_MIN * 4]
    assert waits[-1] == NOTICE_RETRY_MAX
    world.channels_take = True
    world.passes(NOTICE_RETRY_MAX)
    assert notice_due_at(AGREEMENT, world.claim) is None


def test_without_a_rule_of_deemed_receipt_only_an_acknowledgement_opens_the_window() -> None:
    rule = replace(AGREEMENT.notice, deemed_after=None)
    world = World(agreement=replace(AGREEMENT, notice=rule))
    world.files()
    world.accepts()
    world.passes(timedelta(days=40))
    assert world.claim.state is ClaimState.ACCEPTED
    world.acknowledges()
    assert world.refolded().state is ClaimState.WINDOW


def test_gate_is_asked_again_after_ever_longer_pauses() -> None:
    world = play("bea files\nana accepts\nthe gate finds an altered byte\nkim approves provisional")
    world.approves("tom@marlowe", stages=["provisional"])
    world.passes(timedelta(hours=1))
    refused = world.claim.stages[0].refusals
    assert refused == 11  # after 0, 5, 15, 35 … seconds: doubling
    world.passes(timedelta(hours=20))
    assert world.claim.stages[0].refusals - refused == timedelta(hours=20) / GATE_RETRY_MAX


def test_gate_whose_clock_was_weeks_ahead_is_asked_again_soon() -> None:
    """Its refusal stands in the record with a time that has not come yet."""
    world = play("bea files\nana accepts\nthe gate finds an altered byte\nkim approves provisional")
    world.gate_runs = False
    world.approves("tom@marlowe", stages=["provisional"])
    world.passes(SECOND)
    asked_at = world.now
    world.now = asked_at + timedelta(days=40)
    world.decides("provisional")
    world.now = asked_at
    assert next_look(world.agreement, world.claim, at=asked_at) == asked_at + GATE_RETRY_MIN - SECOND
    assert due(world.agreement, world.claim, at=asked_at) is None
    again = due(world.agreement, world.claim, at=asked_at + GATE_RETRY_MIN)
    assert again is not None
    assert again.happening is Happening.QUORUM_REACHED


def test_gate_is_asked_within_minutes_of_a_short_halt_and_within_hours_of_a_long_one() -> None:
    assert gate_pause(10**6, timedelta(days=1)) == timedelta(minutes=15)
    assert gate_pause(10**6, timedelta(days=4)) == timedelta(hours=1)
    assert gate_pause(10**6, timedelta(days=400)) == timedelta(hours=6)


def test_gate_is_asked_at_once_after_a_persons_act_and_then_after_growing_pauses_again() -> None:
    world = play("bea files\nana accepts\nthe gate finds an altered byte\nkim approves provisional")
    world.approves("tom@marlowe", stages=["provisional"])
    world.passes(timedelta(hours=1))
    world.passes(SECOND)
    before = world.claim.stages[0].refusals
    assert asked_within(world, 6 * SECOND) == 0
    world.approves("ana@harbour", stages=["provisional"])
    assert world.claim.stages[0].refusals == before + 1
    assert [asked_within(world, GATE_RETRY_MIN * (1 << times)) for times in range(4)] == [1, 1, 1, 1]


def test_what_the_engine_records_itself_makes_nobody_ask_the_gate_sooner() -> None:
    world = play("bea files\nana accepts\nthe gate finds an altered byte\nkim approves provisional")
    world.approves("tom@marlowe", stages=["provisional"])
    world.passes(timedelta(hours=1))
    before = world.claim.stages[0].refusals
    world.records(Kind.EVENT, happening=Happening.REPLICA_REPAIRED, claim=world.claim.digest)
    assert asked_within(world, 6 * SECOND) == 0
    assert world.claim.stages[0].refusals == before


def asked_within(world: World, time: timedelta) -> int:
    """How often the gate refuses the first stage in the time that passes."""
    before = world.claim.stages[0].refusals
    world.passes(time)
    return world.claim.stages[0].refusals - before


@pytest.mark.parametrize(("times", "wait"), [(1, 1), (2, 2), (3, 4), (9, 256), (11, 900), (10**9, 900)])
def test_backoff_doubles_up_to_its_longest(times: int, wait: int) -> None:
    assert backoff(times, SECOND, GATE_RETRY_MAX) == timedelta(seconds=wait)
    assert backoff(times, GATE_RETRY_MIN, GATE_RETRY_MAX) <= GATE_RETRY_MAX


def test_window_does_not_end_while_provisional_access_is_on_its_way() -> None:
    world = play("bea files\nana accepts\ndora acknowledges\nthe last moment of the window comes")
    world.approves("kim@kestrel", stages=["provisional"])
    world.approves("tom@marlowe", stages=["provisional"])
    world.passes(timedelta(hours=1))
    assert world.claim.state is ClaimState.WINDOW
    world.reports("provisional", ReceiptOutcome.ACTIVATED)
    assert world.refolded().state is ClaimState.APPROVAL


def test_claim_for_provisional_access_alone_completes_after_the_window() -> None:
    world = play("bea files for provisional\nana accepts\ndora acknowledges")
    world.approves("kim@kestrel", stages=["provisional"])
    world.approves("tom@marlowe", stages=["provisional"])
    world.reports("provisional", ReceiptOutcome.ACTIVATED)
    assert world.claim.state is ClaimState.WINDOW
    play("the window ends\n= RELEASED", world)


def test_claim_whose_only_stage_failed_lapses() -> None:
    play(
        """
        bea files for provisional
        ana accepts
        dora acknowledges
        kim approves provisional
        tom approves provisional
        bea reports provisional failed
        bea reports provisional rolled back
        the window ends
        = LAPSED; provisional ROLLED_BACK
        """
    )


def test_stage_after_one_that_was_undone_never_opens_and_lapses() -> None:
    play(
        f"""
        bea files
        ana accepts
        dora acknowledges
        {ALL_APPROVE}
        bea reports provisional activated
        the window ends
        bea reports critical activated
        tom retracts the approval
        kim retracts the approval
        bea reports critical rolled back
        = LAPSED; source WAITING
        """
    )


def test_quorum_that_lapses_with_its_approvals_is_looked_at_when_they_expire() -> None:
    """While a quorum is there a claim does not lapse; the expiry is then a moment to look at."""
    world = play(
        """
        bea files
        ana accepts
        dora acknowledges
        the gate finds an altered byte
        kim approves provisional for 25 days
        tom approves provisional for 25 days
        the window ends
        7 days pass
        = APPROVAL; provisional WAITING
        """
    )
    last_moment = BEGIN + timedelta(days=25)
    assert next_look(AGREEMENT, world.claim, at=last_moment) == last_moment + SECOND
    world.at(last_moment + SECOND)
    assert world.claim.state is ClaimState.LAPSED
    assert world.claim.since == BEGIN + timedelta(days=25) + SECOND


def test_windows_of_plain_duration_end_to_the_second() -> None:
    windows = replace(AGREEMENT.windows, objection=Period("PT72H"), approval=Period("PT24H"))
    world = World(agreement=replace(AGREEMENT, windows=windows))
    world.files()
    world.accepts()
    world.acknowledges()
    world.at(BEGIN + timedelta(hours=72))
    assert world.claim.state is ClaimState.WINDOW
    world.passes(SECOND)
    assert world.refolded().state is ClaimState.APPROVAL


def test_a_receiver_may_report_until_the_last_second() -> None:
    votes = "ana approves critical\nkim approves critical\ntom approves critical"
    world = play(f"bea files for critical\nana accepts\ndora acknowledges\nthe window ends\n{votes}")
    (progress,) = (one for one in world.claim.stages if one.stage == "critical")
    ends = report_due(world.agreement, world.claim, progress).at
    world.at(ends)
    assert world.claim.progress(progress.stage).state is StageState.DECIDED
    world.passes(SECOND)
    assert world.claim.progress(progress.stage).state is StageState.FAILED


def test_returns_fall_due_and_are_over_once_made() -> None:
    lent = """
        bea files
        ana accepts
        kim approves provisional
        tom approves provisional
        bea reports provisional activated
    """
    world = play(lent)
    assert not return_is_due(AGREEMENT, world.claim)
    world.withdraws()
    assert to_give_back(AGREEMENT, world.claim) == ("provisional",)
    assert return_is_due(AGREEMENT, world.claim)
    world.gives_back("docs")
    assert not return_is_due(AGREEMENT, world.claim)


def test_what_is_rolled_back_is_the_failed_stage_or_all_before_it_too() -> None:
    released = f"""
        bea files
        ana accepts
        dora acknowledges
        {ALL_APPROVE}
        bea reports provisional activated
        the window ends
        bea reports critical activated
        3 days pass
        = PROVISIONING; source DECIDED
    """
    world = play(released)
    world.reports("source", ReceiptOutcome.FAILED)
    assert to_roll_back(AGREEMENT, world.claim) == ("source", "critical", "provisional")
    world.reports("source", ReceiptOutcome.ROLLED_BACK)
    assert to_roll_back(AGREEMENT, world.claim) == ("critical", "provisional")


def test_what_falls_due_has_its_reasons() -> None:
    world = World(engine_runs=False)
    world.files()
    world.accepts()
    world.acknowledges()
    opened = due(AGREEMENT, world.claim, at=world.now)
    assert opened is not None
    assert opened.happening is Happening.WINDOW_OPENED
    assert opened.because[0] == "acknowledged by dora@nordwind"
    assert "Tue 2026-12-08 counted: 10" in opened.because
