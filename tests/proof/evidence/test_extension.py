"""Offline, too: what helps a release counts only if the log extends the one that its author had verified."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tallystick.crypto.envelope import kind_of
from tallystick.crypto.log.merkle import EMPTY_ROOT
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.ids import Digest, gate_person
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.acts import Denial
from tallystick.domain.statements.engine import DecisionStatement, PremiseVerdict
from tallystick.domain.statements.header import Contribution, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.proof.evidence.file import EarlierLog, ExportedCase, FiledEntry, read_evidence_file
from tallystick.proof.evidence.verify import verify
from tests.proof.evidence.test_verify import exported, resealed
from tests.support.worlds.agreements import ABE, ANA, CRITICAL, DECISION_KEY, DORA, KIM, PEOPLE, TOM
from tests.support.worlds.gate_worlds import READY, World
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import accepted, prepared_world

PREMISE: Final = "ledger-extends-seen"
ANOTHER: Final = some_digest(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return accepted(prepared_world(tmp_path_factory.mktemp("prepared") / "world"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def decided(world: World, last: LedgerSeen | None) -> None:
    """Three approve, having verified the log; the last of them names `last`."""
    for person in (ANA, KIM):
        world.approve(person, READY, ledger_seen=world.seen())
    world.approve(TOM, READY, ledger_seen=last)
    world.settle(READY)
    world.sign_checkpoint()
    world.decide()


def found(file: bytes, premise: str = PREMISE) -> str:
    return next(step.found for step in verify(file).steps if step.premise == premise)


def test_checkpoints_that_the_log_extends_are_proven_by_the_file_itself(world: World) -> None:
    decided(world, world.seen())
    file = exported(world)

    assert verify(file, trust=world.digest).holds
    assert found(file) == "3 checkpoints that authors had verified"
    sizes = [entry.seen for entry in read_evidence_file(file).exported.entries if entry.seen is not None]
    assert len(sizes) == 3


def test_a_release_that_counted_an_approval_on_another_log_does_not_hold(world: World) -> None:
    for person, seen in ((ANA, None), (KIM, None), (TOM, LedgerSeen(size=3, root=ANOTHER))):
        world.approve(person, READY, ledger_seen=seen)
    world.settle(READY)
    released_unasked(world)
    world.sign_checkpoint()
    broken = verify(exported(world)).broken

    assert broken is not None
    assert (broken.premise, PREMISE in broken.found) == ("decisions-hold", True)


def released_unasked(world: World) -> None:
    """Record a release by a gate that takes every premise for granted."""
    claim = world.case().claim
    contributions = tuple(
        Contribution(component=component, leaf=GATE_LEAF, sealed_digest=ANOTHER)
        for component in world.agreement.stage(CRITICAL).components
    )
    body = world.body(
        DecisionStatement,
        gate_person(world.agreement.deployment),
        READY,
        claim=world.claim,
        stage=CRITICAL,
        released=True,
        decided_at=READY,
        record=claim.record_digest,
        premises=tuple(PremiseVerdict(premise=name, holds=True, found="") for name in claim.rules.premises),
        contributions=contributions,
    )
    world.record(world.signed(body, DECISION_KEY), READY)


def test_a_refusal_because_of_another_log_is_proven_as_it_was(world: World) -> None:
    decided(world, LedgerSeen(size=3, root=ANOTHER))
    file = exported(world)
    report = verify(file)

    assert (report.holds, report.released) == (True, ())
    assert f"approval by {TOM}, who had verified another log, counts for no release" in found(file)


def test_a_denial_on_another_log_counts_and_the_verifier_says_so(world: World) -> None:
    world.say(Denial, ABE, READY, reason="no", ledger_seen=LedgerSeen(size=10_000, root=ANOTHER))
    world.sign_checkpoint()
    file = exported(world)

    assert verify(file).holds
    assert f"WARNING: entry {world.case().raw[-1].index}, denial by {ABE}" in found(file)
    assert found(file).endswith("counts all the same")


@pytest.mark.parametrize(("size", "sound"), [(0, True), (3, False)])
def test_the_pinned_deposits_log_is_held_against_the_file_and_named_if_it_is_another(
    size: int, sound: bool, tmp_path: Path
) -> None:
    seen = LedgerSeen(size=size, root=Digest(f"sha256:{EMPTY_ROOT.hex()}"))
    world = accepted(prepared_world(tmp_path / "world", seen=seen))
    for person in (ANA, KIM, TOM):
        world.approve(person, READY)
    world.settle(READY)
    world.sign_checkpoint()
    world.decide()
    file = exported(world)
    report = verify(file)

    assert (report.holds, bool(report.released)) == (True, sound)
    assert (
        f"deposit by {DORA}, who had verified another log, counts for no release" in found(file)
    ) is not sound


def test_a_revocation_on_another_log_counts_and_the_verifier_says_so(world: World) -> None:
    key = PEOPLE[TOM]
    body = world.body(
        KeyRevocation,
        TOM,
        READY,
        key=key.person.signing_key,
        reason="stolen",
        ledger_seen=LedgerSeen(size=10_000, root=ANOTHER),
    )
    world.slip_in(world.signed(body, key.signing_key), READY)
    world.sign_checkpoint()
    assert found(exported(world)).endswith(
        f"key-revocation by {TOM}, who had verified another log, counts all the same"
    )


def without(_: EarlierLog) -> None:
    return None


def of_another_root(seen: EarlierLog) -> EarlierLog:
    return replace(seen, root=bytes(32))


def with_another_proof(seen: EarlierLog) -> EarlierLog:
    return replace(seen, proof=(bytes(32), *seen.proof[1:]))


@pytest.mark.parametrize(
    "change",
    [without, of_another_root, with_another_proof],
)
def test_a_file_that_does_not_show_the_log_that_was_verified_proves_nothing(
    world: World, change: Callable[[EarlierLog], EarlierLog | None]
) -> None:
    decided(world, world.seen())

    def changed(entry: FiledEntry) -> FiledEntry:
        assert entry.seen is not None
        return replace(entry, seen=change(entry.seen))

    broken = verify(resealed(exported(world), each(changed, Kind.APPROVAL))).broken
    assert broken is not None
    assert broken.premise == PREMISE


def test_a_proof_that_no_statement_asks_for_is_refused(world: World) -> None:
    decided(world, None)
    idle = EarlierLog(root=bytes(32), proof=())

    broken = verify(
        resealed(exported(world), each(lambda entry: replace(entry, seen=idle), Kind.INTAKE))
    ).broken
    assert broken is not None
    assert broken.premise == PREMISE


def each(change: Callable[[FiledEntry], FiledEntry], kind: Kind) -> Callable[[ExportedCase], ExportedCase]:
    def changed(case: ExportedCase) -> ExportedCase:
        entries = tuple(change(e) if kind_of(e.envelope) == kind else e for e in case.entries)
        return replace(case, entries=entries)

    return changed
