"""Decided twice: by the domain, and by a judge that shares no line with it."""

from dataclasses import replace
from datetime import date, time
from typing import Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.agreement.windows import Calendar, Windows
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.periods import Period
from tallystick.domain.release.decision import recorded_premises
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.signed import Entry
from tests.support.judges.release_rule import ReleaseRule, Said
from tests.support.stories.stories import happen, play
from tests.support.worlds.agreements import AGREEMENT, CRITICAL, PEOPLE
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.world import World

_EVERY_DAY: Final = Calendar(id="every-day", weekend=(), holidays=(), covers_until=date(2099, 12, 31))
_A_DAY_LATER: Final = Opening(when=Opens.AFTER_STAGE, stage=CRITICAL, delay=Period("P1D"))
PLAIN: Final = replace(
    AGREEMENT,
    calendars=(_EVERY_DAY,),
    parties=tuple(replace(one, calendar="every-day") for one in AGREEMENT.parties),
    stages=(*AGREEMENT.stages[:2], replace(AGREEMENT.stages[2], opens=_A_DAY_LATER)),
    windows=Windows(
        intake=Period("P2D"),
        objection=Period("P3D"),
        approval=Period("P3D"),
        approval_lifetime=Period("P30D"),
        provisioning=Period("P2D"),
        returning=Period("P5D"),
        confirmation=Period("P3D"),
    ),
    authorities=FILED_FOR.authorities,
    notice=replace(AGREEMENT.notice, cutoff=time(23, 59), resumes=time(0)),
)
"""The sound agreement, in days that all count, as the judge reads them."""
_DOCUMENT: Final = encode_object(PLAIN)
_NAMES: Final = {actor.signing_key.public_key: actor.id for actor in PEOPLE.values()}

TOWARDS: Final = (
    *(f"{who} approves provisional, critical, source" for who in ("ana", "kim", "tom")),
    "dora approves critical, source",
    "dora acknowledges",
    "bea reports provisional activated",
    "bea reports critical activated",
    "1 second passes",
    "1 day passes",
    "4 days pass",
)
AGAINST: Final = (
    *(f"{who} approves critical for 2 days" for who in ("ana", "kim", "dora")),
    *(f"{who} denies" for who in ("abe", "kim", "tom")),
    "dora objects",
    "dirk objects to source",
    "dora retracts the objection",
    "kim retracts the approval",
    "kim rules to release",
    "ana and tom attest an order to release",
    "dora and bea instruct to release",
    "dirk and bea instruct to refuse",
    "kim holds the claim",
    "ana holds source",
    "ana and tom lift the hold",
    *(f"{who} revokes their own key" for who in ("dora", "kim", "tom")),
    "ana and tom revokes dirk's key",
    "bea reports critical rolled back",
    "bea reports provisional failed",
    "ben withdraws",
    "bea confirms",
    "ben confirms for bea, ben",
    "bea and ben name as receiver ben",
    "ben and abe name as receivers bea, ben",
    *(f"{who} revokes their own key" for who in ("ana", "bea", "ben")),
    "the gate is down",
    "the gate works",
)
COURSES: Final = st.lists(st.sampled_from((*TOWARDS, *AGAINST)), min_size=2, max_size=9)
IN_WINDOW: Final = """
    bea files
    ana accepts
    dora acknowledges
    kim approves provisional, critical
    tom approves provisional, critical
    bea reports provisional activated
"""
ABOUT_TO_BE_DECIDED: Final = f"{IN_WINDOW}\n4 days pass\nthe gate is down\nana approves critical"
FOR_HALDEN: Final = """
    ana files on behalf of halden
    ben confirms for bea, ben
    abe accepts
    dora acknowledges
    kim approves critical
    tom approves critical
"""
APPROVED: Final = ("ana approves critical", "abe approves critical", "dora approves critical")
LIFTED_BY_TOM: Final = ("ana and tom lift the hold", "tom revokes their own key")
BEGINNINGS: Final = (
    "bea files\nana accepts",
    IN_WINDOW,
    f"{IN_WINDOW}\ndora objects",
    f"{IN_WINDOW}\nkim holds the claim",
    f"{IN_WINDOW}\nthe last moment of the window comes",
    ABOUT_TO_BE_DECIDED,
    f"{ABOUT_TO_BE_DECIDED}\nthe gate works",
    f"{ABOUT_TO_BE_DECIDED}\nbea and ben name as receiver ben",
    "ana files on behalf of halden",
    FOR_HALDEN,
    f"{FOR_HALDEN}\n4 days pass\nthe gate is down\nabe approves critical",
)


def rule(world: World, entries: tuple[Entry, ...]) -> ReleaseRule:
    said = [
        Said(
            id=entry.signed.id,
            kind=entry.signed.kind.value,
            at=entry.accepted_at,
            signers=frozenset(_NAMES[key] for key in entry.signed.signers if key in _NAMES),
            body=encode_object(entry.signed.body),
        )
        for entry in entries
    ]
    return ReleaseRule(agreement=_DOCUMENT, record=said, now=world.now)


def check(world: World) -> None:
    judge = rule(world, world.entries)
    for progress in world.claim.stages:
        premises = recorded_premises(PLAIN, world.claim, progress.stage, at=world.now)
        unmet = [verdict.premise for verdict in premises if not verdict.holds]
        against = judge.against(progress.stage)
        assert unmet or not against, f"{progress.stage} is released against {against}"
        # A release that failed as a whole ends, provisional access or not; the engine ends a window itself.
        waits = world.claim.state in {ClaimState.ROLLING_BACK, ClaimState.ROLLED_BACK, ClaimState.VALIDATING}
        assert against or not unmet or waits, f"{progress.stage} is refused for {unmet}"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BEGINNINGS), COURSES)
@example(
    ABOUT_TO_BE_DECIDED, ["dirk objects", "dora and bea instruct to release", "dora revokes their own key"]
)
@example(
    IN_WINDOW, ["dora and bea instruct to release", "dora revokes their own key", *APPROVED, "4 days pass"]
)
@example(IN_WINDOW, ["the gate is down", "kim holds the claim", "4 days pass", *APPROVED, *LIFTED_BY_TOM])
@example(ABOUT_TO_BE_DECIDED, ["30 days pass", "ana approves critical"])
@example(ABOUT_TO_BE_DECIDED, ["bea and ben name as receiver ben", "kim approves critical", *APPROVED])
@example(FOR_HALDEN, ["4 days pass", *APPROVED])
@example(FOR_HALDEN, ["4 days pass", "ben revokes their own key", *APPROVED])
@example(FOR_HALDEN, ["bea and abe name as receiver bea", "bea revokes their own key", *APPROVED])
@example(ABOUT_TO_BE_DECIDED, ["tom retracts the approval"])
@example(f"{IN_WINDOW}\nthe last moment of the window comes", [*APPROVED, "1 second passes"])
def test_the_domain_releases_what_an_independent_judge_releases(beginning: str, course: list[str]) -> None:
    world = play(beginning, World(agreement=PLAIN))
    for sentence in course:
        before = len(world.record)
        try:
            happen(world, sentence)
        except (TallystickError, IndexError, StopIteration):
            continue
        for place in range(before, len(world.record)):
            body = world.entries[place].signed.body
            if isinstance(body, DecisionStatement) and body.released:
                judge = replace(rule(world, world.entries[:place]), now=body.decided_at)
                assert judge.against(body.stage) == ()
        check(world)


def test_a_sound_release_has_no_reason_against_it() -> None:
    world = play(ABOUT_TO_BE_DECIDED, World(agreement=PLAIN))
    judge = rule(world, world.entries)
    assert judge.against("critical") == ()
    assert judge.against("source") == ("no quorum", "an earlier stage is undecided", "not open yet")
