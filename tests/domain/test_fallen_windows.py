"""A window that the word of others opened counts no longer than the keys that gave this word."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.powers import AfterWindow
from tallystick.domain.agreement.windows import (
    IntakeEnd,
    IntakeWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.domain.notice.sighting import sighting_of
from tallystick.domain.periods import Period
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, agreement
from tests.support.worlds.world import World


def unchecked(then: UnprovenNoticeEnd = UnprovenNoticeEnd.LAPSE, deemed: str | None = None) -> Agreement:
    return agreement(
        waits=Waits(
            intake=IntakeWait(then=IntakeEnd.GO_ON),
            unproven_notice=UnprovenNoticeWait(after=Period("P30D"), then=then),
        ),
        windows=replace(AGREEMENT.windows, intake=Period("P1D")),
        notice=replace(AGREEMENT.notice, deemed_after=None if deemed is None else Period(deemed)),
    )


NEVER_DEEMED: Final = unchecked()
DEEMED: Final = unchecked(deemed="P8D")
LEAVE: Final = unchecked(UnprovenNoticeEnd.ARBITRATOR)
LATE: Final = replace(NEVER_DEEMED, objection=replace(AGREEMENT.objection, after_window=AfterWindow.LATE))
TWO_AGENTS: Final = replace(
    NEVER_DEEMED,
    parties=tuple(
        replace(one, role=Role.ESCROW_AGENT) if one.id == "marlowe" else one for one in AGREEMENT.parties
    ),
)
TAKEN: Final = "bea files for critical\n1 day passes\n1 second passes\n= ACCEPTED\n"
SERVED: Final = f"{TAKEN}ana and abe prove service\n= WINDOW\n"
REVOKED: Final = "ana and kim revoke abe's key\n"
BY_LEAVE: Final = f"{TAKEN}31 days pass\nkim rules that notice was given\n= WINDOW\n"
APPROVED: Final = "kim approves critical\ntom approves critical\ndora approves critical\n"
GATE_AWAY: Final = (
    f"{TAKEN}1 hour passes\nthe gate is down\nana and abe prove service\n{REVOKED}the gate works\n"
)

STORIES: Final[tuple[tuple[str, Agreement, str], ...]] = (
    (
        "what the depositor says at the end of a fallen window opens a whole one",
        NEVER_DEEMED,
        f"""
        {SERVED}
        the last moment of the window comes
        {REVOKED}
        dora acknowledges
        1 second passes
        = WINDOW
        13 days pass
        = WINDOW
        the window ends
        = APPROVAL
        {APPROVED}
        = PROVISIONING; critical DECIDED
        """,
    ),
    (
        "a leave that a stolen key attested opens no window that lasts",
        LEAVE,
        f"{BY_LEAVE}ana and tom revoke kim's key\n13 days pass\ndora acknowledges\n2 days pass\n= WINDOW",
    ),
    (
        "what was approved waits for the window that opens anew",
        NEVER_DEEMED,
        f"""
        {SERVED}
        the window ends
        = APPROVAL
        {REVOKED}
        {APPROVED}
        = APPROVAL; critical WAITING
        dora acknowledges
        10 days pass
        = APPROVAL; critical WAITING
        """,
    ),
    (
        "an objection after a fallen window is in time",
        LATE,
        f"{SERVED}the window ends\n{REVOKED}dora objects\n= CONTESTED",
    ),
    (
        "a dispute in a fallen window leads back to before the window",
        NEVER_DEEMED,
        f"{SERVED}dora objects\n= CONTESTED\n{REVOKED}dora retracts the objection\n= ACCEPTED",
    ),
    (
        "a claim whose proof of notice fell lapses as if notice had never been proven",
        NEVER_DEEMED,
        f"{GATE_AWAY}= WINDOW\n30 days pass\n= WINDOW\n1 second passes\n= LAPSED",
    ),
    (
        "a claim whose proof of notice fell after the window lapses, too",
        NEVER_DEEMED,
        f"{SERVED}the window ends\n= APPROVAL\n{REVOKED}30 days pass\n= APPROVAL\n1 second passes\n= LAPSED",
    ),
    (
        "arbitrators may rule that notice was given once the proof of it fell",
        LEAVE,
        f"{SERVED}{REVOKED}31 days pass\nkim rules that notice was given\nthe window ends\n= APPROVAL",
    ),
    (
        "a window that the depositor's word opened stands whoever proved service as well",
        NEVER_DEEMED,
        f"{TAKEN}dora acknowledges\nana and abe prove service\n{REVOKED}the window ends\n= APPROVAL",
    ),
)


@pytest.mark.parametrize(("agreed", "tells"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES])
def test_story(agreed: Agreement, tells: str) -> None:
    world = play(tells, World(agreement=agreed))
    assert world.refolded() == world.claim


def test_after_a_revoked_proof_the_window_runs_as_if_there_had_been_none() -> None:
    fallen = play(f"{SERVED}{REVOKED}12 days pass", World(agreement=DEEMED))
    without = play(f"{TAKEN}12 days pass\n= WINDOW", World(agreement=DEEMED))
    assert fallen.claim.window_until == without.claim.window_until
    named = {one.what: one.explanation for one in deadlines(DEEMED, fallen.claim, fallen.now)}
    assert not any("served on" in line for line in named["objection-window"])


def test_a_key_that_proved_nothing_takes_no_window_away() -> None:
    world = play(f"{SERVED}the window ends\n= APPROVAL", World(agreement=NEVER_DEEMED))
    opened_at, ended_at = world.claim.window_opened_at, world.claim.window_ended_at
    play("1 day passes\nana and tom revoke kim's key", world)
    assert (world.claim.window_opened_at, world.claim.window_ended_at) == (opened_at, ended_at)


def test_a_fallen_window_waits_for_notice_and_no_longer_for_its_end() -> None:
    world = play(GATE_AWAY, World(agreement=NEVER_DEEMED))
    awaited = {one.what for one in waiting(NEVER_DEEMED, world.claim, world.now)}
    assert (world.claim.state, Awaited.ACKNOWLEDGEMENT in awaited) == (ClaimState.WINDOW, True)
    assert Awaited.WINDOW not in awaited


def test_a_second_proof_opens_the_window_and_the_gate_sights_it() -> None:
    world = play(GATE_AWAY, World(agreement=TWO_AGENTS))
    play("2 days pass\nana and tom prove service", world)
    sighting = sighting_of(world.claim)
    assert sighting is not None
    assert (sighting.notice, sighting.issued_at) == (world.claim.window_opened_by, world.now)


def test_the_gates_sighting_of_a_revoked_proof_tells_of_no_other_notice() -> None:
    world = play(f"notices bounce\n{SERVED}6 days pass\n{REVOKED}dora acknowledges\n", World(agreement=LATE))
    sighting = sighting_of(world.claim)
    assert sighting is not None
    assert (sighting.notice, sighting.issued_at) == (world.claim.window_opened_by, world.now)
    assert world.claim.window_until is not None
    assert world.claim.window_until - world.now > timedelta(days=13)
