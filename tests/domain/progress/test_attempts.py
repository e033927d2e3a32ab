"""However long a claim waits, and whatever is done meanwhile, its record fits into an evidence file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import log
from typing import Final

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import evolve
from tallystick.domain.claim.state import EventType
from tallystick.domain.ids import PublicKey
from tallystick.domain.kinds import Happening
from tallystick.domain.periods import Period
from tallystick.domain.progress.attempts import asks_gate_from, notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.soundness.simulation.props import as_if_signed
from tallystick.domain.statements.acts import NoticeAcknowledgement
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice
from tallystick.domain.statements.signed import Body, Entry
from tallystick.limits.agreements import COMPONENTS_MAX, PERSONS_MAX, STAGES_MAX
from tallystick.limits.claims import ACT_BYTES_PER_PERSON_MAX, ACTS_PER_CLAIM_MAX, HOLD_LIFT_BYTES_MAX
from tallystick.limits.logs import (
    EVIDENCE_ENTRIES_MAX,
    EVIDENCE_SIZE_BYTES_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
    EVIDENCE_VERSIONS_MAX,
)
from tallystick.limits.steps import (
    GATE_ASKED_AT_ONCE_MAX,
    GATE_ASKED_SHARE,
    GATE_RETRY_MAX,
    NOTICE_RETRY_MAX,
    NOTICE_RETRY_SHARE,
)
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.world import World

LONG: Final = timedelta(days=3000)
EVER: Final = timedelta(days=100 * 366)
DOUBLINGS: Final = 16  # until a pause is as long as it gets at first
FRAME_BYTES: Final = 950  # of an entry in a file: its proof, its salt, its names
LOOK_BYTES: Final = (
    8 * 1024
)  # of what one look of the gate adds: the question, the decision, what it replaced
NOTICE_BYTES: Final = 4 * 1024


def asked_at_most(life: timedelta) -> float:
    """How often the gate is asked in that time, if people act as often as they may."""
    return GATE_ASKED_AT_ONCE_MAX + GATE_ASKED_SHARE * (1 + log(life / (GATE_ASKED_SHARE * GATE_RETRY_MAX)))


def noticed_at_most(life: timedelta) -> float:
    """How often notice is tried in that time."""
    return DOUBLINGS + NOTICE_RETRY_SHARE * (1 + log(life / (NOTICE_RETRY_SHARE * NOTICE_RETRY_MAX)))


def waiting_world() -> World:
    """A claim that has its quorum, for ten years, and whose gate refuses."""
    ten_years = Period("P3600D")
    windows = replace(AGREEMENT.windows, approval=ten_years, approval_lifetime=ten_years)
    world = World(agreement=replace(AGREEMENT, windows=windows))
    world.sight_changes = {"sealed": {"docs": "a byte differs"}}
    world.files()
    world.accepts()
    expires_at = world.now + timedelta(days=3500)
    for person in ("kim@kestrel", "tom@marlowe"):
        world.approves(person, stages=["provisional"], expires_at=expires_at)
    return world


def grown(claim: Claim, body: Body, event: EventType, at: datetime, by: frozenset[PublicKey]) -> Claim:
    signed = as_if_signed(body, *by, name=f"{len(claim.entries)}")
    return evolve(claim, Entry(index=claim.last_index + 1, accepted_at=at, signed=signed), event)


def refused(claim: Claim, at: datetime) -> Claim:
    """The claim after the gate was asked at that moment, and refused once more."""
    asked, _ = next(one for one in claim.entries_of(Event) if one[1].happening is Happening.QUORUM_REACHED)
    decided, decision = claim.entries_of(DecisionStatement)[0]
    asking = grown(claim, asked.signed.body, EventType.QUORUM_REACHED, at, asked.signed.signers)
    return grown(
        asking, replace(decision, decided_at=at), EventType.STAGE_REFUSED, at, decided.signed.signers
    )


def looks(world: World, claim: Claim, at: datetime) -> Iterator[datetime]:
    """When the gate is asked from then on, until `LONG` has passed."""
    end = at + LONG
    while at < end:
        if due(world.agreement, claim, at=at) is not None:
            yield at
            claim = refused(claim, at)
        later = next_look(world.agreement, claim, at=at)
        assert later is not None
        at = later


def test_the_gate_is_asked_ever_more_seldom_and_at_once_after_an_act_only_so_often() -> None:
    world = waiting_world()
    world.acknowledges()
    ((entry, act),) = world.claim.entries_of(NoticeAcknowledgement)
    claim, at, at_once = world.claim, world.now, 0
    while True:
        claim = grown(claim, act, EventType.NOTICE_ACKNOWLEDGED, at, entry.signed.signers)
        following = claim.next_stage
        assert following is not None
        if asks_gate_from(claim, following, at) > at:
            break
        claim, at_once = refused(claim, at), at_once + 1
    assert GATE_ASKED_AT_ONCE_MAX - 8 < at_once <= GATE_ASKED_AT_ONCE_MAX

    asked = list(looks(world, claim, at))
    assert 0.9 * asked_at_most(LONG) < GATE_ASKED_AT_ONCE_MAX + len(asked) < asked_at_most(LONG) + 8


def test_notice_is_tried_ever_more_seldom_and_for_ever() -> None:
    world = World()
    world.channels_take = False
    world.files()
    world.accepts()
    claim, tries = world.claim, 0
    (entry, notice), at = claim.entries_of(Notice)[0], world.now
    end = at + LONG
    while at < end:
        due_at = notice_due_at(world.agreement, claim)
        assert due_at is not None
        at = max(at, due_at)
        claim, tries = grown(claim, notice, EventType.NOTICE_NOT_TAKEN, at, entry.signed.signers), tries + 1
    assert 0.8 * noticed_at_most(LONG) < tries < noticed_at_most(LONG)


def test_the_record_of_a_hundred_years_fits_into_an_evidence_file() -> None:
    asked, noticed = asked_at_most(EVER), noticed_at_most(EVER)
    # An act settles a dispute, or contests a stage, at most once; a look is asked for, decided, and repairs.
    entries = 2 * ACTS_PER_CLAIM_MAX + 3 * asked + noticed + 6 * STAGES_MAX
    shared = EVIDENCE_VERSIONS_MAX + PERSONS_MAX + COMPONENTS_MAX + 10  # revocations, custody, deposit …
    assert entries + shared < EVIDENCE_ENTRIES_MAX

    # A hold counts as two acts, so there are half as many lifts.
    said = PERSONS_MAX * ACT_BYTES_PER_PERSON_MAX + ACTS_PER_CLAIM_MAX // 2 * HOLD_LIFT_BYTES_MAX
    engine = asked * LOOK_BYTES + noticed * NOTICE_BYTES
    assert (
        said + engine + EVIDENCE_VERSIONS_BYTES_MAX + EVIDENCE_ENTRIES_MAX * FRAME_BYTES
        < EVIDENCE_SIZE_BYTES_MAX
    )
