"""Leave one out, by the gate itself: make one premise false, and nothing is released."""

import errno
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.gate.journal import GateJournal, GateJournalDamagedError, GateJournalFailedError
from activities.gate.publish import ContributionLostError, DecisionForgottenError
from activities.gate.release import GateShareUnusableError
from activities.heartbeats import heartbeat
from activities.places import ReadingBusyError
from tallystick.crypto import age
from tallystick.crypto.custody.gate import contributed_identity, gate_share
from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PersonId, StageId
from tallystick.domain.kinds import Happening, Kind, Purpose, WithdrawalReason
from tallystick.domain.progress.due import due
from tallystick.domain.statements.acts import (
    Approval,
    Denial,
    Hold,
    Intake,
    NoticeAcknowledgement,
    Objection,
    ReceiversNamed,
    Retraction,
    Withdrawal,
)
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import write_body
from tallystick.limits.processes import GATE_STEPS_EACH_MAX
from tallystick.limits.steps import GATE_LOOKS_MAX
from tallystick.messages import DecideStage
from tallystick.proof.reading import read_signed
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import names_of
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import live_custody, missing_epochs
from tests.support.worlds.agreements import (
    ABE,
    ANA,
    BEA,
    BEN,
    CRITICAL,
    DECISION_KEY,
    DORA,
    GATE_IDENTITY,
    KIM,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
    SOURCE_STAGE,
    TOM,
    quorum,
    receivers,
    signing_key,
)
from tests.support.worlds.gate_worlds import (
    ACKNOWLEDGED,
    FILED,
    MONDAY,
    READY,
    World,
)
from tests.support.worlds.prepared_worlds import CONTENTS, accepted, deposited, prepared_world, ready_world


class Stopped(BaseException):
    """The process was killed here."""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> World:
    return ready_world(tmp_path_factory.mktemp("ready"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(ready: World, tmp_path: Path) -> World:
    return ready.copied_to(tmp_path / "world")


def last_decision(claim: Claim) -> DecisionStatement:
    return claim.entries_of(DecisionStatement)[-1][1]


def unmet(world: World) -> set[str]:
    return {verdict.premise for verdict in last_decision(world.case().claim).premises if not verdict.holds}


def decisions(world: World) -> int:
    """The number of decisions to release in the ledger, by any gate."""
    with reading(world.database) as session:
        decisions = ledger.entries(session, world.agreement.id, kinds=[Kind.DECISION])
    return sum(names_of(entry.statement()).decision is not None for entry in decisions)


def refuses(world: World, **gate: object) -> set[str]:
    """The premises for which the gate refuses; it gives nothing away."""
    blobs = world.stored_blobs()
    answer = world.decide(world.gate(**gate))  # type: ignore[arg-type]
    assert answer.outcome == "refused"
    assert decisions(world) == 0
    assert world.stored_blobs() == blobs
    return unmet(world)


def withholds(world: World) -> None:
    """The gate gives nothing away and decides nothing, because the record itself is wrong."""
    blobs = world.stored_blobs()
    with pytest.raises(TallystickError):
        world.decide()
    assert decisions(world) == 0
    assert world.stored_blobs() == blobs


def opened(world: World, person: PersonId = BEA) -> bytes:
    """What a receiver finds in the licence keys, with nothing but the decision's contributions."""
    decision = last_decision(world.case().claim)
    (named,) = (c for c in decision.contributions if c.component == LICENCE_KEYS)
    sealed = b"".join(world.blobs.open_verified(named.sealed_digest).chunks)
    custody = world.custody_of(LICENCE_KEYS)
    identity = contributed_identity(
        custody, {named.leaf: sealed}, claim=world.claim, identity=PEOPLE[person].identity
    )
    (path, _) = world.sealed_files(sealed_digest(world))
    return age.open_bytes(path.read_bytes(), [identity])


def sealed_digest(world: World) -> Digest:
    with reading(world.database) as session:
        stored = deposits.by_digest(session, world.agreement.id, world.case().claim.filing.deposit)
        assert stored is not None
        deposit = read_signed(stored.entry.statement(), world.agreement).body
    assert isinstance(deposit, Deposit)
    (sealed_digest,) = (c.sealed_digest for c in deposit.components if c.component == LICENCE_KEYS)
    return sealed_digest


# ---------------------------------------------------------------------------------- the whole truth


def test_with_every_premise_true_the_stage_is_released_and_opens(world: World) -> None:
    answer = world.decide()

    claim = world.case().claim
    assert answer.outcome == "released"
    assert claim.progress(CRITICAL).decision == answer.decision
    assert claim.state is ClaimState.PROVISIONING
    assert len(last_decision(claim).premises) == 24
    assert opened(world) == CONTENTS[LICENCE_KEYS]


def test_one_agreements_stages_leave_others_their_places_and_wait_for_their_own(world: World) -> None:
    gate, own = world.gate(), world.agreement.id
    with ExitStack() as reading:
        for _ in range(GATE_STEPS_EACH_MAX):
            reading.enter_context(gate.places.place(own))
        with pytest.raises(ReadingBusyError) as busy:
            world.decide(gate)
        with gate.places.place(AgreementId("another")):
            pass
    assert busy.value.retryable, "Temporal asks again"
    assert decisions(world) == 0
    assert world.decide(gate).outcome == "released"


def test_a_stage_is_decided_once_however_often_it_is_asked(world: World) -> None:
    first = world.decide()
    again = [world.decide(), world.decide(world.gate(at=READY + timedelta(days=400), halted=True))]

    assert [answer.decision for answer in again] == [first.decision, first.decision]
    assert decisions(world) == 1


# ---------------------------------------------------------------------------- leave one out: premises


def test_a_hold_stops_it(world: World) -> None:
    world.say(Hold, KIM, READY, reason="a court asks for it")

    assert refuses(world) == {"no-hold"}


def test_a_satisfied_denial_tree_stops_it(world: World) -> None:
    """Dora approves as well, so that the quorum stays reached without Kim."""
    world.approve(DORA, READY)
    for person in (ABE, KIM):
        world.say(Denial, person, READY, reason="the evidence is disputed")

    assert refuses(world) == {"no-denial-quorum"}


def test_an_approval_that_was_taken_back_is_missing(world: World) -> None:
    (of,) = (entry.signed.id for entry, body in world.case().claim.approvals if body.person == TOM)
    world.say(Retraction, TOM, READY, of=of, reason="I was wrong")

    assert refuses(world) == {"quorum-reached"}


def test_an_approval_that_expired_is_missing(world: World) -> None:
    assert refuses(world, at=READY + timedelta(days=23)) == {"quorum-reached"}


def test_an_approval_that_expired_by_the_gates_clock_alone_is_missing(world: World) -> None:
    assert refuses(world, at=READY + timedelta(days=23), database_at=READY) == {"quorum-reached"}


def test_an_approval_that_expired_by_the_databases_clock_alone_is_missing(world: World) -> None:
    """By the gate's clock, days behind, and at the time of the question the approval still counts."""
    assert refuses(world, database_at=READY + timedelta(days=23)) == {"quorum-reached"}


def test_an_approval_that_expires_while_the_bytes_are_read_is_missing(world: World) -> None:
    told: list[str] = []

    def database(_: Session) -> datetime:
        return READY + timedelta(days=23) if "sealed bytes read" in told else READY

    gate = replace(world.gate(tell=told.append), database_clock=database)

    assert world.decide(gate).outcome == "refused"
    assert unmet(world) == {"quorum-reached"}


def test_a_database_that_is_years_ahead_delays_a_release_until_it_is_right(world: World) -> None:
    refuses(world, database_at=READY + timedelta(days=3650))
    later = READY + timedelta(hours=1)
    world.settle(later)

    assert world.decide(world.gate(at=later)).outcome == "released"


def test_an_approver_whose_key_was_revoked_is_missing(world: World) -> None:
    revoke(world, TOM)

    assert refuses(world) == {"quorum-reached"}


def test_a_claimant_whose_key_was_revoked_gets_nothing(world: World) -> None:
    revoke(world, BEA)

    assert refuses(world) == {"claimant-entitled", "receivers-named"}


def test_a_withdrawn_claim_gets_nothing(world: World) -> None:
    world.say(Withdrawal, BEA, READY, reason=WithdrawalReason.OTHER, explanation="settled")

    assert "stage-in-order" in refuses(world)


def test_the_gates_own_clock_must_say_that_the_window_is_over(world: World) -> None:
    until = world.case().claim.window_until
    assert until is not None

    assert {"window-over", "stage-open"} <= refuses(world, at=until, database_at=READY)


def test_the_databases_clock_must_say_that_the_window_is_over(world: World) -> None:
    until = world.case().claim.window_until
    assert until is not None

    assert {"window-over", "stage-open"} <= refuses(world, at=READY, database_at=until)


def test_a_gate_that_is_days_behind_takes_none_of_the_receivers_time(tmp_path: Path) -> None:
    """The decision is dated by the question: a report must not be overdue before it can begin."""
    world = accepted(prepared_world(tmp_path))
    world.settle(READY)
    asked_at = READY + timedelta(days=4)
    for person in (ANA, KIM, TOM):
        world.approve(person, asked_at)
    world.settle(asked_at)
    world.sign_checkpoint()

    assert world.decide(world.gate(at=READY)).outcome == "released"

    case = world.case()
    assert case.claim.progress(CRITICAL).since == asked_at
    assert due(case.agreement, case.claim, at=asked_at + timedelta(seconds=1)) is None


def test_a_refusal_by_a_gate_that_is_behind_is_not_older_than_the_question(world: World) -> None:
    asked_at = world.case().claim.progress(CRITICAL).since
    assert asked_at is not None

    assert "window-over" in refuses(world, at=asked_at - timedelta(days=40))

    assert world.case().claim.progress(CRITICAL).refused_at == asked_at


def test_a_stage_is_not_decided_before_it_opens(world: World) -> None:
    assert refuses(world, at=READY - timedelta(hours=2)) == {"stage-open"}


def test_releases_are_halted_by_the_halt_file(world: World) -> None:
    assert refuses(world, halted=True) == {"not-halted"}


def test_an_agreement_that_no_root_key_signed_opens_nothing(world: World) -> None:
    stranger = frozenset({signing_key("stranger").public_key})

    assert refuses(world, root_keys=stranger) == {"agreement-signed"}


def test_a_deposit_that_is_gone_opens_nothing(world: World) -> None:
    world.execute("DELETE FROM deposits")

    assert {"deposit-pinned", "sealed-bytes-match"} <= refuses(world)


def test_custody_that_the_gate_did_not_deal_opens_nothing(prepared: World, tmp_path: Path) -> None:
    world = prepared.copied_to(tmp_path / "world")
    with reading(world.database) as session:
        live = dict(live_custody(session, world.agreement.id))
        dealt = ledger.entry_by_statement(session, world.agreement.id, live[LICENCE_KEYS])
    assert dealt is not None
    body = replace(read_signed(dealt.statement(), world.agreement).body, nonce=32 * "0")
    forged = world.signed(body, LOG_KEY)
    world.slip_in(forged, MONDAY)
    live[LICENCE_KEYS] = names_of(forged).statement_id
    world.deposit(CONTENTS, live)

    assert refuses(made_ready(accepted(world))) == {"custody-known"}


def test_an_objection_recorded_first_stops_it(world: World) -> None:
    world.say(Objection, DORA, READY, ground="cured", explanation="paid in full")

    assert world.decide().outcome == "moved-on"
    assert decisions(world) == 0


def test_a_quorum_that_was_never_reached_moves_nothing(prepared: World, tmp_path: Path) -> None:
    world = accepted(prepared.copied_to(tmp_path / "world"))
    for person in (ANA, KIM):
        world.approve(person, READY - timedelta(days=3))
    world.settle(READY - timedelta(hours=1))
    world.sign_checkpoint()

    assert world.decide().outcome == "moved-on"
    assert decisions(world) == 0


# ------------------------------------------- what a thief of the log key would have to make true


def stolen(world: World) -> None:
    """Someone with the log key records that the quorum was reached."""
    body = world.body(
        Event,
        world.engine_person,
        READY - timedelta(hours=1),
        claim=world.claim,
        happening=Happening.QUORUM_REACHED,
        stage=CRITICAL,
    )
    world.slip_in(world.signed(body, LOG_KEY), READY - timedelta(hours=1))
    world.sign_checkpoint()


def test_what_the_log_key_may_record_is_recorded_so(prepared: World, tmp_path: Path) -> None:
    """A thief who records only the truth gets the stage released: below, only the lies can fail."""
    world = by_nobody(prepared.copied_to(tmp_path / "world"))
    world.approve(TOM, READY - timedelta(hours=2))
    stolen(world)

    assert world.decide().outcome == "released"


def drilled(world: World) -> World:
    return progressed(world.file(deposited(world), purpose=Purpose.DRILL))


def unevidenced(world: World) -> World:
    return progressed(world.file(deposited(world), evidence=world.documents(FILED, ["outage-record"])))


def progressed(world: World, *, intake: bool = True, notice: bool = True) -> World:
    if intake:
        world.say(Intake, ANA, FILED + timedelta(hours=1), accepted=True)
    if notice:
        world.notify(FILED + timedelta(hours=1))
        world.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED)
    return world


def without_intake(world: World) -> World:
    return world.file(deposited(world))


def without_notice(world: World) -> World:
    return progressed(world.file(deposited(world)), notice=False)


def without_window(world: World) -> World:
    return progressed(world.file(deposited(world)))


def by_a_stranger(world: World) -> World:
    world = accepted(world)
    for person in (ANA, KIM):
        world.approve(person, READY - timedelta(days=3))
    body = world.body(
        Approval,
        TOM,
        READY,
        claim=world.claim,
        stages=(CRITICAL,),
        purpose=Purpose.RELEASE,
        expires_at=READY + timedelta(days=3),
        reason="forged",
    )
    world.settle(READY - timedelta(hours=2))
    world.slip_in(world.signed(body, signing_key("stranger")), READY - timedelta(hours=2))
    return world


def by_another_person(world: World) -> World:
    world = by_nobody(world)
    body = world.body(
        Approval,
        TOM,
        READY,
        claim=world.claim,
        stages=(CRITICAL,),
        purpose=Purpose.RELEASE,
        expires_at=READY + timedelta(days=3),
        reason="signed by Ana in Tom's name",
    )
    world.slip_in(world.signed(body, PEOPLE[ANA].signing_key), READY - timedelta(hours=2))
    return world


def by_nobody(world: World) -> World:
    world = accepted(world)
    for person in (ANA, KIM):
        world.approve(person, READY - timedelta(days=3))
    world.settle(READY - timedelta(hours=2))
    return world


@pytest.mark.parametrize(
    "lacking",
    [
        drilled,
        unevidenced,
        without_intake,
        without_notice,
        without_window,
        by_a_stranger,
        by_another_person,
        by_nobody,
    ],
)
def test_a_stolen_log_key_releases_nothing(
    prepared: World, tmp_path: Path, lacking: Callable[[World], World]
) -> None:
    world = lacking(prepared.copied_to(tmp_path / "world"))
    stolen(world)

    withholds(world)


def test_a_decision_that_is_only_a_row_is_no_decision(world: World) -> None:
    world.execute("INSERT INTO decisions VALUES (?, ?, ?, ?)", world.claim, CRITICAL, world.agreement.id, 0)

    assert world.decide().outcome == "refused"
    assert unmet(world) == {"ledger-whole"}


def test_a_decision_signed_by_another_key_is_no_decision(world: World) -> None:
    world.copied_to(world.folder.with_name("other")).decide()
    other = replace(world, folder=world.folder.with_name("other"))
    decision = last_decision(other.case().claim)
    world.slip_in(sign(Kind.DECISION, write_body(decision), [LOG_KEY]), READY)

    with pytest.raises(TallystickError):
        world.decide()
    assert not list((world.folder / "journal" / "contributions").iterdir())


# ------------------------------------------------------------------------ leave one out: stored bytes


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_bytes_flipped_in_one_store_are_repaired_and_reported(world: World) -> None:
    good, bad = world.sealed_files(sealed_digest(world))
    flip(bad)

    answer = world.decide()

    line = "licence-keys: south altered, replaced from a good copy"
    (told,) = (v for v in last_decision(world.case().claim).premises if v.premise == "sealed-bytes-match")
    assert (answer.outcome, answer.repaired) == ("released", (line,))
    assert told.found.endswith(line)
    assert bad.read_bytes() == good.read_bytes()


@pytest.mark.parametrize("spoil", [flip, Path.unlink], ids=["flipped", "gone"])
def test_bytes_that_are_bad_in_every_store_open_nothing(world: World, spoil: Callable[[Path], None]) -> None:
    for path in world.sealed_files(sealed_digest(world)):
        spoil(path)

    assert refuses(world) == {"sealed-bytes-match"}


def test_a_stage_that_was_refused_is_released_when_its_bytes_are_back(world: World) -> None:
    paths = world.sealed_files(sealed_digest(world))
    kept = [path.read_bytes() for path in paths]
    for path in paths:
        flip(path)
    refuses(world)
    for path, data in zip(paths, kept, strict=True):
        path.write_bytes(data)
    world.settle(READY + timedelta(hours=7))

    assert world.decide(world.gate(at=READY + timedelta(hours=7))).outcome == "released"


def test_a_share_that_is_lost_is_reported_and_nothing_is_decided(world: World) -> None:
    (share,) = world.custody_of(LICENCE_KEYS).shares
    for path in world.sealed_files(share.sealed_digest):
        path.unlink()

    with pytest.raises(GateShareUnusableError):
        world.decide()
    assert decisions(world) == 0


def test_a_later_deposit_changes_nothing(world: World) -> None:
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    world.deposit(dict.fromkeys(CONTENTS, b"newer"), live)
    world.sign_checkpoint()

    assert world.decide().outcome == "released"
    assert opened(world) == CONTENTS[LICENCE_KEYS]


# -------------------------------------------------------------------------- leave one out: the record


@pytest.mark.parametrize(
    "kind", ["claim", "intake", "notice-acknowledgement", "approval", "event", "agreement"]
)
def test_an_entry_that_was_altered_releases_nothing(world: World, kind: str) -> None:
    world.execute(
        """UPDATE ledger_entries SET envelope = CAST(replace(CAST(envelope AS TEXT), '"sig":"', '"sig":"A')
           AS BLOB) WHERE "index" = (SELECT max("index") FROM ledger_entries WHERE kind = ?)""",
        kind,
    )

    withholds(world)


@pytest.mark.parametrize("kind", ["intake", "notice-acknowledgement", "event", "approval"])
def test_an_entry_that_was_removed_releases_nothing(world: World, kind: str) -> None:
    world.execute(
        'DELETE FROM ledger_entries WHERE "index" = (SELECT max("index") FROM ledger_entries WHERE kind = ?)',
        kind,
    )
    before = world.stored_blobs()
    try:
        outcome: str = world.decide().outcome
    except TallystickError:
        outcome = "raised"

    assert outcome in {"raised", "refused", "moved-on"}
    assert decisions(world) == 0
    assert world.stored_blobs() == before


def test_a_weaker_agreement_in_the_place_of_the_pinned_one_releases_nothing(world: World) -> None:
    weaker = replace(
        world.agreement,
        stages=tuple(replace(stage, quorum=quorum({"any": [ANA]})) for stage in world.agreement.stages),
    )
    keys = [PEOPLE[person].signing_key for person in (DORA, BEA, ANA, KIM, TOM)]
    world.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE kind = 'agreement'",
        envelope_bytes(sign("agreement", encode_object(weaker), keys)),
    )

    withholds(world)


def test_an_entry_of_something_else_that_was_altered_stops_it_too(world: World) -> None:
    world.execute("UPDATE ledger_entries SET accepted_at = '2026-10-05T09:00:01Z' WHERE kind = 'deposit'")

    assert refuses(world) == {"ledger-whole"}


def test_a_checkpoint_of_another_tree_stops_it(world: World) -> None:
    world.execute("UPDATE checkpoints SET frontier = zeroblob(length(frontier))")

    assert refuses(world) == {"ledger-whole"}


def test_a_checkpoint_signed_by_another_key_stops_it(world: World) -> None:
    world.execute("DELETE FROM checkpoints")
    world.sign_checkpoint(DECISION_KEY)

    assert refuses(world) == {"ledger-whole"}


def test_a_log_without_any_checkpoint_stops_it(world: World) -> None:
    world.execute("DELETE FROM checkpoints")

    assert refuses(world) == {"ledger-whole"}


def test_a_log_that_the_gate_has_seen_longer_stops_it(world: World) -> None:
    earlier = copy_of(world)
    world.say(Hold, KIM, READY, reason="wait")
    refuses(world)
    lend_journal(world, earlier)

    assert refuses(earlier) == {"ledger-whole"}


# ------------------------------------------------------------------------------- as Temporal runs it


def test_in_an_activity_each_step_is_a_sign_of_life(world: World) -> None:
    told: list[str] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = told.append
    gate = replace(world.gate(), tell=heartbeat)

    asked = DecideStage(claim=world.claim, stage=CRITICAL)
    answer = environment.run(gate.decide_stage, asked)

    assert answer.outcome == "released"
    assert "decision recorded" in told


def test_what_the_gate_cannot_do_reaches_the_workflow_typed(world: World) -> None:
    (share,) = world.custody_of(LICENCE_KEYS).shares
    for path in world.sealed_files(share.sealed_digest):
        path.unlink()
    asked = DecideStage(claim=world.claim, stage=CRITICAL)

    with pytest.raises(ApplicationError) as failed:
        world.gate().decide_stage(asked)

    assert (failed.value.type, failed.value.non_retryable) == ("gate-share-unusable", True)


# -------------------------------------------------------------------- stopped between any two steps


def stopper(at: int) -> Callable[[str], None]:
    """Report nothing, and stop at step `at`."""
    steps: list[str] = []

    def tell(step: str) -> None:
        steps.append(step)
        if len(steps) == at:
            raise Stopped(step)

    return tell


def steps_of(world: World) -> list[str]:
    steps: list[str] = []
    world.decide(world.gate(tell=steps.append))
    return steps


def test_stopped_between_any_two_steps_it_decides_once_and_gives_the_same(
    ready: World, tmp_path: Path
) -> None:
    steps = steps_of(ready.copied_to(tmp_path / "whole"))
    assert len(steps) >= 9
    for place, step in enumerate(steps, start=1):
        world = ready.copied_to(tmp_path / f"world-{place}")
        with pytest.raises(Stopped, match=step):
            world.decide(world.gate(tell=stopper(place)))
        kept = notes(world)
        given = set(world.stored_blobs())

        answer = world.decide()

        assert answer.outcome == "released", step
        assert decisions(world) == 1, step
        assert notes(world).items() >= kept.items(), step
        assert given <= set(world.stored_blobs()), step
        assert len(set(world.stored_blobs())) == len(ready.stored_blobs()) + 4, step
        assert opened(world) == CONTENTS[LICENCE_KEYS], step


def notes(world: World) -> dict[str, bytes]:
    folder = world.folder / "journal"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("[cd]*/*")}


def test_two_gates_at_once_make_one_decision(world: World) -> None:
    inner: list[str | None] = []

    def meanwhile(step: str) -> None:
        if step == "contributions kept":
            inner.append(world.decide().decision)

    outer = world.decide(world.gate(tell=meanwhile))

    assert (outer.outcome, [outer.decision]) == ("released", inner)
    assert decisions(world) == 1


def test_an_objection_between_look_and_record_stops_it(world: World) -> None:
    def meanwhile(step: str) -> None:
        if step == "contributions kept":
            world.say(Objection, DORA, READY, ground="cured", explanation="paid in full")

    answer = world.decide(world.gate(tell=meanwhile))

    assert answer.outcome == "moved-on"
    assert decisions(world) == 0


def named_anew(world: World, *persons: PersonId) -> None:
    """The beneficiary names its receivers anew, and everybody who had approved approves again."""
    body = world.body(ReceiversNamed, BEA, READY, claim=world.claim, receivers=receivers(*persons), reason="")
    keys = [PEOPLE[person].signing_key for person in (BEA, BEN)]
    world.record(world.signed(body, *keys), READY)


def opens_for(world: World, person: PersonId) -> bool:
    try:
        return opened(world, person) == CONTENTS[LICENCE_KEYS]
    except age.AgeError:
        return False


def test_receivers_named_between_look_and_record_get_a_share_of_their_own_and_others_none(
    world: World,
) -> None:
    def meanwhile(step: str) -> None:
        if step == "contributions kept" and not world.case().claim.entries_of(ReceiversNamed):
            named_anew(world, BEN)

    assert world.decide(world.gate(tell=meanwhile)).outcome == "moved-on"
    assert decisions(world) == 0

    for person in (ANA, KIM, TOM):
        world.approve(person, READY)
    world.settle(READY)
    assert world.decide().outcome == "released"
    assert opens_for(world, BEN)
    assert not opens_for(world, BEA)


def test_what_is_released_opens_for_every_receiver_and_for_nobody_else(world: World) -> None:
    named_anew(world, BEN, BEA)
    for person in (ANA, KIM, TOM):
        world.approve(person, READY)
    world.settle(READY)
    assert world.decide().outcome == "released"
    assert [person for person in PEOPLE if opens_for(world, person)] == [BEA, BEN]


def test_approvals_from_before_the_receivers_were_named_release_nothing(world: World) -> None:
    named_anew(world, BEN)
    assert world.decide().outcome == "moved-on"
    assert decisions(world) == 0


def acting(step: str, act: Callable[[], object], told: list[str]) -> Callable[[str], None]:
    """Run `act` the first time that the gate reports `step`."""

    def tell(done: str) -> None:
        told.append(done)
        if done == step and told.count(step) == 1:
            act()

    return tell


@pytest.mark.parametrize("step", ["sealed bytes read", "contributions kept"])
def test_an_act_that_changes_nothing_has_the_gate_decide_anew_and_read_nothing_again(
    world: World, step: str
) -> None:
    told: list[str] = []
    acknowledged = partial(world.say, NoticeAcknowledgement, DORA, READY)

    answer = world.decide(world.gate(tell=acting(step, acknowledged, told)))

    assert answer.outcome == "released"
    reads = [f"reading {component}" for component in world.agreement.stage(CRITICAL).components]
    assert [done for done in told if done.startswith("reading ")] == reads
    assert [told.count(done) for done in ("record read", "sealed bytes read")] == [2, 1]
    assert isinstance(world.case().claim.entries[-2].signed.body, NoticeAcknowledgement)
    assert opened(world) == CONTENTS[LICENCE_KEYS]


def test_a_refusal_too_is_decided_anew_and_reads_nothing_again(world: World) -> None:
    told: list[str] = []
    acknowledged = partial(world.say, NoticeAcknowledgement, DORA, READY)
    gate = world.gate(tell=acting("sealed bytes read", acknowledged, told), halted=True)

    assert world.decide(gate).outcome == "refused"
    assert told.count("sealed bytes read") == 1


def objected(world: World) -> None:
    world.say(Objection, DORA, READY, ground="cured", explanation="paid in full")


def held(world: World) -> None:
    world.say(Hold, KIM, READY, reason="a court asks for it")


def denied(world: World) -> None:
    for person in (ABE, KIM):
        world.say(Denial, person, READY, reason="the evidence is disputed")


def withdrawn(world: World) -> None:
    world.say(Withdrawal, BEA, READY, reason=WithdrawalReason.OTHER, explanation="settled")


def revoked(world: World) -> None:
    revoke(world, TOM)


@pytest.mark.parametrize("step", ["sealed bytes read", "contributions kept"])
@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (objected, "moved-on"),
        (held, "refused"),
        (denied, "refused"),
        (withdrawn, "refused"),
        (revoked, "refused"),
    ],
)
def test_an_act_during_the_read_that_forbids_the_release_stops_it(
    world: World, step: str, act: Callable[[World], None], outcome: str
) -> None:
    told: list[str] = []
    blobs = world.stored_blobs()

    answer = world.decide(world.gate(tell=acting(step, partial(act, world), told)))

    assert answer.outcome == outcome
    assert decisions(world) == 0
    assert world.stored_blobs() == blobs
    assert told.count("sealed bytes read") == 1


def test_a_person_who_never_stops_acting_does_not_keep_the_gate_for_ever(world: World) -> None:
    told: list[str] = []

    def tell(step: str) -> None:
        told.append(step)
        if step == "record read":
            world.say(NoticeAcknowledgement, DORA, READY)

    assert world.decide(world.gate(tell=tell)).outcome == "moved-on"
    assert [told.count(step) for step in ("record read", "sealed bytes read")] == [GATE_LOOKS_MAX, 1]
    assert decisions(world) == 0


def test_bytes_that_were_read_for_another_deposit_are_not_the_pinned_ones(world: World) -> None:
    """Someone who can write the database shows the gate another deposit first, and then the pinned one."""
    pinned = world.case().claim.filing.deposit
    for path in world.sealed_files(sealed_digest(world)):
        flip(path)
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    world.deposit(dict.fromkeys(CONTENTS, b"other"), live)
    true, other = (envelope_of(world, digest) for digest in (pinned, deposited(world)))
    put = "UPDATE ledger_entries SET envelope = ? WHERE statement_id = ?"
    world.execute(put, other, pinned)
    told: list[str] = []

    def exchanged_again() -> None:
        world.execute(put, true, pinned)
        world.say(NoticeAcknowledgement, DORA, READY)

    answer = world.decide(world.gate(tell=acting("sealed bytes read", exchanged_again, told)))

    assert answer.outcome == "refused"
    assert unmet(world) == {"sealed-bytes-match"}


def envelope_of(world: World, statement: Digest) -> bytes:
    with reading(world.database) as session:
        entry = ledger.entry_by_statement(session, world.agreement.id, statement)
    assert entry is not None
    return entry.envelope


def test_without_its_journal_it_still_gives_what_the_stores_have(world: World) -> None:
    first = world.decide()
    forget(world)

    assert world.decide().decision == first.decision


def test_without_journal_and_stored_bytes_it_never_decides_again(world: World) -> None:
    with pytest.raises(Stopped):
        world.decide(world.gate(tell=stopper(steps_of(copy_of(world)).index("decision recorded") + 1)))
    forget(world)

    for _ in range(2):
        with pytest.raises(ContributionLostError) as refused:
            world.decide()
        assert "new claim" in refused.value.advice
    assert decisions(world) == 1


def test_a_decision_that_the_ledger_forgot_is_never_made_again(world: World) -> None:
    earlier = copy_of(world)
    world.decide()
    lend_journal(world, earlier)

    with pytest.raises(DecisionForgottenError):
        earlier.decide()
    assert decisions(earlier) == 0


def test_another_decision_than_the_one_it_remembers_is_not_acted_on(world: World) -> None:
    world.decide()
    forget(world)
    other = Digest("sha256:" + 64 * "0")
    GateJournal(world.folder / "journal").remember_decision(world.claim, CRITICAL, other)

    with pytest.raises(DecisionForgottenError):
        world.decide()


def test_a_contribution_that_is_not_durable_lets_nothing_be_decided(world: World) -> None:
    told: list[str] = []

    def fsync(descriptor: int) -> None:
        if "contributions made" in told:
            raise OSError(errno.EIO, "lost")
        os.fsync(descriptor)

    journal = GateJournal(world.folder / "journal", fsync=fsync)

    with pytest.raises(GateJournalFailedError):
        world.decide(replace(world.gate(tell=told.append), journal=journal))
    assert decisions(world) == 0


def test_a_contribution_found_in_the_journal_is_made_durable_before_the_decision(world: World) -> None:
    steps = steps_of(copy_of(world))
    with pytest.raises(Stopped):
        world.decide(world.gate(tell=stopper(steps.index("contributions kept") + 1)))
    folder = (world.folder / "journal" / "contributions").stat().st_ino
    told: list[str] = []
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == folder:
            synced.append(told[-1])
        os.fsync(descriptor)

    journal = GateJournal(world.folder / "journal", fsync=fsync)
    world.decide(replace(world.gate(tell=told.append), journal=journal))

    assert synced == ["sealed bytes read"]


def test_a_damaged_journal_decides_nothing(world: World) -> None:
    with pytest.raises(Stopped):
        world.decide(world.gate(tell=stopper(steps_of(copy_of(world)).index("contributions kept") + 1)))
    (note,) = (world.folder / "journal" / "contributions").iterdir()
    note.write_bytes(note.read_bytes()[:-1])

    with pytest.raises(GateJournalDamagedError):
        world.decide()
    assert decisions(world) == 0


def copy_of(world: World) -> World:
    return world.copied_to(world.folder.with_name("copy"))


def lend_journal(world: World, other: World) -> None:
    (other.folder / "journal").rename(other.folder / "old")
    (world.folder / "journal").rename(other.folder / "journal")


def forget(world: World) -> None:
    (world.folder / "journal").rename(world.folder / "lost")


# ----------------------------------------------------------------------------------- what follows


def test_a_released_component_needs_a_new_epoch_and_the_others_do_not(world: World) -> None:
    def missing() -> list[tuple[str, int]]:
        with reading(world.database) as session:
            return list(missing_epochs(session, world.agreement.id, world.agreement))

    before = missing()
    world.decide()

    assert before == []
    assert missing() == [("licence-keys", 2), ("activation-rules", 2)]
    world.deal()
    assert missing() == []


def test_a_stage_of_another_name_is_refused(world: World) -> None:
    for stage in (SOURCE_STAGE, StageId("nothing")):
        with pytest.raises(TallystickError):
            world.decide(stage=stage)


def test_no_secret_is_in_the_database_the_journal_the_stores_or_the_answer(world: World) -> None:
    answer = world.decide()
    custody = world.custody_of(LICENCE_KEYS)
    (share,) = custody.shares
    sealed = b"".join(world.blobs.open_verified(share.sealed_digest).chunks)
    secret = gate_share(custody, sealed, GATE_IDENTITY)
    world.database.dispose()
    canaries = [
        GATE_IDENTITY.secret_text().encode(),
        GATE_IDENTITY.seed,
        *(form for raw in (secret.value, secret.blinding) for form in (raw, raw.hex().encode())),
        DECISION_KEY.secret_seed(),
    ]

    written = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
    spoken = repr((answer, world.gate())).encode()
    assert not [1 for canary in canaries for data in (*written, spoken) if canary in data]


def revoke(world: World, person: PersonId) -> None:
    key = PEOPLE[person].signing_key
    body = world.body(KeyRevocation, person, READY, key=key.public_key, reason="lost")
    world.record(world.signed(body, key), READY)


def made_ready(world: World) -> World:
    for person in (ANA, KIM, TOM):
        world.approve(person, READY - timedelta(days=3))
    world.settle(READY - timedelta(hours=1))
    world.sign_checkpoint()
    return world
