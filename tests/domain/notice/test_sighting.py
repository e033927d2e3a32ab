"""The second witness of a window: the gate's word on when it saw the notice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.crypto.envelope import sign
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.notice.sighting import sighted_end, to_be_sighted
from tallystick.domain.statements.engine import Event, Sighting
from tallystick.limits.documents import SIGHTING_TOLERANCE
from tests.support.stories.stories import play
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.groundwork import NO_DIGEST
from tests.support.worlds.world import SECOND, World, window_over

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def unseen() -> World:
    """Notice was taken and acknowledged, the window runs, and the gate has been away."""
    world = World(gate_runs=False)
    return play("bea files for critical\nana accepts\ndora acknowledges\n= WINDOW", world)


def why_it_waits(world: World) -> str:
    told = waiting(world.agreement, world.claim, world.now)
    (why,) = (one.why for one in told if one.what is Awaited.WINDOW)
    return why


def ended(claim: Claim) -> Event:
    (event,) = (body for _, body in claim.entries_of(Event) if body.happening is Happening.WINDOW_ENDED)
    return event


def test_gate_sees_the_notice_as_soon_as_it_is_on_record() -> None:
    world = play("bea files for critical\nana accepts")
    ((entry, sighting),) = world.claim.entries_of(Sighting)
    assert sighting.notice == world.claim.notices[0][0].signed.id
    assert (sighting.issued_at, entry.accepted_at) == (world.now, world.now)
    assert to_be_sighted(world.agreement, world.claim) is None


def test_window_does_not_end_while_the_gate_has_not_seen_the_notice() -> None:
    world = unseen()
    assert "before the gate has signed" in why_it_waits(world)
    world.passes(window_over(world) + 30 * DAY)
    assert world.claim.state is ClaimState.WINDOW


def test_gate_that_was_away_lengthens_the_window_and_that_is_reported() -> None:
    world = unseen()
    world.passes(window_over(world))
    world.gate_runs = True
    world.settles()
    longer = sighted_end(world.agreement, world.claim)
    assert longer is not None
    assert longer.at > world.now + 13 * DAY
    begun = instant_text(world.now - SIGHTING_TOLERANCE)
    assert f"as it may have looked an hour late, the time counts from {begun}" in longer.explanation[0]
    assert "the gate saw the notice at" in why_it_waits(world)
    named = {one.what: one.at for one in deadlines(world.agreement, world.claim, world.now)}
    assert named["objection-window-as-seen"] == longer.at
    world.at(longer.at)
    assert world.claim.state.value == "WINDOW"
    world.passes(SECOND)
    assert world.claim.state.value == "APPROVAL"
    assert ended(world.claim).until == longer.at
    assert "the gate saw the notice at" in ended(world.claim).because[0]
    assert world.refolded() == world.claim


def test_objection_in_a_window_that_the_gate_has_lengthened_is_in_time() -> None:
    world = unseen()
    world.passes(window_over(world))
    world.gate_runs = True
    world.objects()
    assert world.claim.state is ClaimState.CONTESTED


def test_gate_that_sees_the_notice_within_the_hour_lengthens_nothing() -> None:
    world = World(gate_runs=False)
    play("bea files for critical\nana accepts", world)
    world.passes(HOUR)
    world.gate_runs = True
    world.acknowledges()
    until = world.claim.window_until
    assert until is not None
    world.at(until + SECOND)
    assert ended(world.claim).until == until


def test_notice_that_only_counts_as_received_is_seen_before_the_day_that_it_takes() -> None:
    """Without an acknowledgement the time of deemed receipt counts from the sighting, too."""
    world = World(gate_runs=False)
    play("bea files for critical\nana accepts", world)
    world.passes(2 * DAY)
    world.gate_runs = True
    world.settles()
    assert world.claim.state is ClaimState.WINDOW
    deemed = sighted_end(world.agreement, world.claim)
    known = replace(world.claim, window_opened_at=None, window_opened_by=None)
    world.acknowledges()
    acknowledged = sighted_end(
        world.agreement, replace(world.claim, window_opened_at=None, window_opened_by=None)
    )
    assert deemed == sighted_end(world.agreement, known)
    assert deemed is not None
    assert acknowledged is not None
    assert deemed.at > acknowledged.at


def seen_twice(world: World) -> None:
    world.sights()
    world.sights(notice=world.claim.notices[0][0].signed.id)


def test_sighting_without_a_notice_is_refused() -> None:
    world = play("bea files for critical", World(gate_runs=False))
    with pytest.raises(TallystickError) as refusal:
        world.sights(notice=world.claim.digest)
    assert refusal.value.code == "not-due"


UNTRUE: Final[dict[str, Callable[[World], object]]] = {
    "twice": seen_twice,
    "of-nothing": lambda w: w.sights(notice=NO_DIGEST),
    "of-the-claim": lambda w: w.sights(notice=w.claim.digest),
    "in-the-future": lambda w: w.sights(issued_at=w.now + timedelta(minutes=6)),
    "before-the-notice": lambda w: w.sights(issued_at=w.now - 2 * HOUR),
}


@pytest.mark.parametrize("sees", UNTRUE.values(), ids=UNTRUE)
def test_sighting_that_cannot_be_true_is_refused(sees: Callable[[World], object]) -> None:
    world = unseen()
    with pytest.raises(TallystickError) as refusal:
        sees(world)
    assert refusal.value.code == "not-due"


def test_log_key_cannot_sign_for_the_gate() -> None:
    world = unseen()
    body = world.body(Kind.SIGHTING, "gate@test", notice=world.claim.notices[0][0].signed.id)
    with pytest.raises(TallystickError) as refusal:
        world.submits(sign(Kind.SIGHTING.value, encode_object(body), [LOG_KEY]))
    assert refusal.value.code == "not-authorised-to-state"


def test_log_key_cannot_record_that_the_window_ended_before_the_gate_says_so() -> None:
    world = unseen()
    world.engine_runs = False
    world.passes(window_over(world))
    with pytest.raises(TallystickError) as refusal:
        world.records(Kind.EVENT, happening=Happening.WINDOW_ENDED, until=world.claim.window_until)
    assert refusal.value.code == "not-due"
