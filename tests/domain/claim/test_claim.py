"""What holds for any claim, whatever people send and in whatever order."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.domain.claim.state import ENDED, ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Outcome
from tallystick.domain.record.fold import advance, fold
from tallystick.domain.statements.acts import Approval, Denial, Hold, HoldLift, Objection, Retraction
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Entry
from tests.support.stories.stories import happen, play
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.world import World, window_over

SENTENCES: Final = (
    "dora acknowledges",
    *(f"{who} approves provisional, critical" for who in ("ana", "abe", "kim", "tom")),
    *(f"{who} approves critical, source" for who in ("ana", "kim", "tom", "dora")),
    *(f"{who} approves critical, source for 4 days" for who in ("kim", "tom")),
    *(f"{who} denies" for who in ("ana", "kim")),
    "dora objects",
    "dirk objects to critical",
    "dora objects to source",
    "dora retracts the objection",
    "dirk retracts the objection",
    "kim retracts the approval",
    "tom retracts the approval",
    "kim rules to release",
    "ana and tom attest an order to release",
    "dora and bea instruct to release",
    "dora and bea instruct to refuse",
    "dora and bea instruct to return",
    "kim holds the claim",
    "ana holds source",
    "ana and tom lift the hold",
    "abe and kim lift the hold",
    "tom revokes their own key",
    "bea reports provisional activated",
    "bea reports provisional failed",
    "bea reports critical activated",
    "bea reports critical activated",
    "bea reports critical failed",
    "bea reports critical rolled back",
    "bea reports source activated",
    "bea reports source rolled back",
    "ben withdraws",
    "bea returns docs",
    "the gate is down",
    "the gate works",
    "the window ends",
    "3 days pass",
    "1 hour passes",
)
LIVELY: Final = "bea files\nana accepts\ndora acknowledges"
TOWARDS_A_RELEASE: Final = (
    "ana approves provisional, critical, source",
    "kim approves provisional, critical, source",
    "tom approves provisional, critical, source",
    "bea reports provisional activated",
    "the window ends",
    "bea reports critical activated",
    "3 days pass",
)
ANYTHING: Final = st.one_of(st.sampled_from(TOWARDS_A_RELEASE), st.sampled_from(SENTENCES))
SLOW: Final = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lived(sentences: list[str]) -> World:
    """A world in which all this was tried; what is refused changes nothing."""
    world = play(LIVELY)
    for sentence in sentences:
        if sentence == "the window ends" and world.now > world.now + window_over(world):
            continue
        try:
            happen(world, sentence)
        except (TallystickError, IndexError):  # an index: there is no hold to lift
            continue
    return world


def objected(before: list[Entry], stage: StageId) -> bool:
    """Counted by hand: whether an objection to `stage` stands."""
    standing: dict[Digest, bool] = {}
    for entry in before:
        body = entry.signed.body
        if isinstance(body, Objection):
            standing[entry.signed.id] = body.stages is None or stage in body.stages
        if isinstance(body, Retraction):
            standing.pop(body.of, None)
        if isinstance(body, Ruling | JointInstruction) and body.outcome is Outcome.RELEASE:
            standing.clear()
    return any(standing.values())


def held(before: list[Entry], stage: StageId) -> bool:
    lifted = {entry.signed.body.hold for entry in before if isinstance(entry.signed.body, HoldLift)}
    holds = [(e.signed.id, e.signed.body) for e in before if isinstance(e.signed.body, Hold)]
    return any(at not in lifted and (b.stages is None or stage in b.stages) for at, b in holds)


def agreed(before: list[Entry], stage: StageId, decision: Entry) -> frozenset[PersonId]:
    """Counted by hand: the persons whose approval of `stage` stands, each once."""
    revoked = {e.signed.body.key for e in before if isinstance(e.signed.body, KeyRevocation)}
    taken_back = {e.signed.body.of for e in before if isinstance(e.signed.body, Retraction)}
    return frozenset(
        body.person
        for entry in before
        if isinstance(body := entry.signed.body, Approval)
        and stage in body.stages
        and not entry.signed.signers & revoked
        and entry.signed.id not in taken_back
        and decision.accepted_at <= body.expires_at
    )


def check_decisions(world: World) -> None:
    decided: list[StageId] = []
    for place, entry in enumerate(world.entries):
        body = entry.signed.body
        if not isinstance(body, DecisionStatement) or not body.released:
            continue
        before = list(world.entries[:place])
        late = {d for d in decided if d == body.stage}
        assert not late, "decided once, for ever"
        assert not objected(before, body.stage)
        assert not held(before, body.stage)
        assert AGREEMENT.stage(body.stage).quorum.satisfied_by(agreed(before, body.stage, entry))
        denying = {e.signed.body.person for e in before if isinstance(e.signed.body, Denial)}
        assert len(denying) < 2 or any(isinstance(e.signed.body, KeyRevocation) for e in before)
        decided.append(body.stage)
    order = [stage.id for stage in AGREEMENT.stages]
    assert decided == [stage for stage in order if stage in decided], "stages are decided in their order"


@SLOW
@given(st.lists(ANYTHING, max_size=30))
def test_nothing_is_decided_against_an_objection_a_hold_or_without_its_quorum(sentences: list[str]) -> None:
    world = lived(sentences)
    check_decisions(world)
    assert world.refolded() == world.claim


@SLOW
@given(st.lists(ANYTHING, max_size=25), st.integers(0, 60))
def test_folding_does_not_depend_on_where_one_stops(sentences: list[str], cut: int) -> None:
    world = lived(sentences)
    first, rest = world.entries[: cut + 1], world.entries[cut + 1 :]
    claim = fold(world.terms, first)
    for entry in rest:
        claim = advance(world.terms, claim, entry)
    assert claim == world.claim


@SLOW
@given(st.lists(ANYTHING, max_size=25))
def test_an_ending_is_never_left_and_windows_never_shrink(sentences: list[str]) -> None:
    world = lived(sentences)
    claim = fold(world.terms, world.entries[:1])
    for entry in world.entries[1:]:
        after = advance(world.terms, claim, entry)
        assert after.state is claim.state or claim.state not in ENDED
        assert after.last_index == entry.index
        if claim.window_until is not None:
            assert after.window_until is not None
            assert after.window_until >= claim.window_until
        for was, now in zip(claim.stages, after.stages, strict=True):
            assert was.decision is None or now.decision == was.decision
        claim = after


def test_the_engine_never_records_the_same_happening_twice_for_one_cause() -> None:
    world = play(f"{LIVELY}\nthe window ends\n9 days pass\n= LAPSED")
    happened = [e.signed.body.happening for e in world.entries if isinstance(e.signed.body, Event)]
    assert happened == ["window-opened", "window-ended", "lapsed"]


def test_record_out_of_order_or_of_another_agreement_does_not_fold() -> None:
    world = play(f"{LIVELY}\nkim denies\nana denies")
    swapped = (*world.entries[:-2], world.entries[-1], world.entries[-2])
    headless = world.entries[1:]
    terms = replace(world.terms, digest=Digest("sha256:" + 64 * "1"))
    for record, under in ((swapped, world.terms), (headless, world.terms), (world.entries, terms)):
        with pytest.raises(TallystickError) as refusal:
            fold(under, record)
        assert refusal.value.code == "misdirected"


def test_record_without_an_entry_that_later_ones_depend_on_does_not_fold() -> None:
    world = play(
        """
        bea files
        ana accepts
        kim approves provisional
        tom approves provisional
        = ACCEPTED; provisional DECIDED
        """
    )
    for place, entry in enumerate(world.entries[:-1]):
        if isinstance(entry.signed.body, Approval | Event) or place == 1:
            record = (*world.entries[:place], *world.entries[place + 1 :])
            with pytest.raises(TallystickError):
                fold(world.terms, record)


def test_scope_of_the_claim_shows_what_is_next_and_in_flight() -> None:
    world = play("bea files for provisional, critical\nana accepts")
    claim = world.claim
    assert claim.next_stage is not None
    assert claim.next_stage.stage == "provisional"
    assert claim.in_flight is None
    assert claim.id.startswith("clm-")
    assert not claim.frozen
    world.holds(on=["critical"])
    assert world.claim.frozen
    assert not world.claim.holds_on(StageId("provisional"))
    assert world.claim.holds_on(StageId("critical"))


def test_since_is_when_the_state_was_entered_not_when_a_fact_was_added() -> None:
    world = play(LIVELY)
    entered = world.claim.since
    world.passes(timedelta(days=1))
    world.approves("kim@kestrel", stages=["provisional"])
    assert (world.claim.state, world.claim.since) == (ClaimState.WINDOW, entered)
