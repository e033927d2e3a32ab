"""What the gate sees with its own eyes before it decides: record, log, custody, sealed bytes.

Nothing here is taken from a workflow, or believed because a row says so. What is wrong
becomes words in the `Sight`; the decision itself is made elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from activities.gate.journal import LogHead
from tallystick.crypto.log.merkle import verify_consistency
from tallystick.crypto.log.note import origin_of
from tallystick.domain.claim.sight import Sight
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest, PublicKey, StageId
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.signed import Signed, expect
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.blobs.store import ReplicaState
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.extension import unextended
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.ledger import checkpoints, tree
from tallystick.store.ledger.checkpoints import LogSigner
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.custody import verified_custody


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the database showed, in one snapshot.

    Attributes:
        deposit: The pinned deposit, verified; None if there is none.
        custody: The verified custody statement of each of the stage's components that has one.
        ledger: What is wrong with the log, or None.
        log: The head of the log, if nothing is wrong with it.
        unextended: What helps the release, and whose authors had verified another log than this one; nothing
            is known of it while something is wrong with the log, and then nothing is released.
        database_at: The database's own clock.
    """

    deposit: Signed[Deposit] | None
    custody: Mapping[ComponentId, Custody]
    ledger: str | None
    log: LogHead | None
    unextended: frozenset[Digest]
    database_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBytes:
    """What the blob stores showed.

    Attributes:
        sealed: For each component read: None if a copy has every byte as signed, else what is wrong.
        repaired: A line for each bad copy, which says whether it was replaced.
        behind: The files of which a store has no good copy now, though another has one.
    """

    sealed: Mapping[ComponentId, str | None]
    repaired: tuple[str, ...]
    behind: tuple[Digest, ...] = ()


def see_surroundings(
    session: Session, case: CaseFile, stage: StageId, *, remembered: LogHead | None, database_at: datetime
) -> Surroundings:
    """Return what the database shows of a claim's surroundings; what is wrong is returned, not raised."""
    log, fault = _log(session, case, remembered)
    deposit = _deposit(session, case)
    deposited = stage_components(case, stage, deposit)
    return Surroundings(
        deposit=deposit,
        custody=dict(_custody(session, case, deposited)),
        ledger=fault,
        log=log,
        unextended=frozenset() if log is None else unextended(session, case),
        database_at=database_at,
    )


def stage_components(
    case: CaseFile, stage: StageId, deposit: Signed[Deposit] | None
) -> Sequence[DepositedComponent]:
    """Return those of the deposit's components that `stage` opens."""
    if deposit is None:
        return ()
    wanted = case.agreement.stage(stage).components
    return [component for component in deposit.body.components if component.component in wanted]


def see_sealed_bytes(
    blobs: ReplicatedBlobs, components: Sequence[DepositedComponent], *, tell: Callable[[str], None]
) -> SealedBytes:
    """Read every copy of every sealed file anew, and replace bad copies where this process may write."""
    sealed: dict[ComponentId, str | None] = {}
    repaired: list[str] = []
    behind: list[Digest] = []
    for component in components:
        tell(f"reading {component.component}")
        try:
            verdicts = blobs.repair(component.sealed_digest, component.sealed_bytes)
        except NoGoodReplicaError as error:
            sealed[component.component] = "; ".join(verdict.words for verdict in error.verdicts)
            continue
        sealed[component.component] = None
        bad = [verdict for verdict in verdicts if verdict.state is not ReplicaState.GOOD]
        repaired += [f"{component.component}: {verdict.words}" for verdict in bad]
        if any(not verdict.is_good_now and verdict.state is not ReplicaState.UNREADABLE for verdict in bad):
            behind.append(component.sealed_digest)
    return SealedBytes(sealed=sealed, repaired=tuple(repaired), behind=tuple(behind))


def sight_of(
    case: CaseFile,
    record: Surroundings,
    seen: SealedBytes,
    *,
    at: datetime,
    root_keys: frozenset[PublicKey],
    halted: bool,
) -> Sight:
    """Return everything that the gate has seen, for the release decision."""
    return Sight(
        at=at,
        agreement_digest=case.terms.digest,
        agreement_signers=case.signed.signers,
        root_keys=root_keys,
        deposit=record.deposit,
        custody=record.custody,
        sealed=seen.sealed,
        ledger=record.ledger,
        unextended=record.unextended,
        halted=halted,
    )


def _deposit(session: Session, case: CaseFile) -> Signed[Deposit] | None:
    filing = case.claim.filing
    stored = deposits.by_digest(session, case.agreement.id, filing.deposit)
    if stored is None:
        return None
    try:
        # By the pinned version's own persons: another version's depositor is not this claim's.
        return expect(read_signed(stored.entry.statement(), case.agreement), Deposit)
    except TallystickError:
        return None


def _custody(
    session: Session, case: CaseFile, deposited: Sequence[DepositedComponent]
) -> Iterator[tuple[ComponentId, Custody]]:
    for component in deposited:
        try:
            epoch = verified_custody(session, case.agreement.id, component.custody, component.component)
        except TallystickError:
            continue
        yield component.component, epoch.body


def _log(session: Session, case: CaseFile, remembered: LogHead | None) -> tuple[LogHead | None, str | None]:
    """Hash the whole log again, verify its checkpoints, and compare it with what was seen before."""
    agreement = case.agreement
    try:
        signer = LogSigner(
            origin=origin_of(agreement.deployment, agreement.id),
            public_keys=agreements.log_keys(session, agreement.id),
        )
        log = checkpoints.verify_log(session, agreement.id, signer=signer)
        head = LogHead(size=log.size, root=log.root().hex())
        if checkpoints.latest_checkpoint(session, agreement.id) is None:
            return None, "no checkpoint of the log was signed yet"
        if remembered is not None:
            _check_extends(session, case, remembered, head)
    except TallystickError as error:
        return None, str(error)
    return head, None


def _check_extends(session: Session, case: CaseFile, before: LogHead, now: LogHead) -> None:
    if now.size < before.size:
        raise LedgerCorruptError(
            "the log is shorter than this gate has seen it", index=now.size, seen=before.size
        )
    proof = tree.consistency_proof(session, case.agreement.id, before.size, now.size)
    verify_consistency(
        old_size=before.size,
        new_size=now.size,
        old_root=bytes.fromhex(before.root),
        new_root=bytes.fromhex(now.root),
        proof=proof,
    )
