"""Exporting a claim's evidence: the whole record, with proofs, for anyone who wants to verify without us."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from tallystick.crypto.envelope import body_of, new_nonce
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.ids import Digest, PublicKey, engine_person
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.seen import ledger_seen
from tallystick.proof.evidence.file import EarlierLog, ExportedCase, FiledEntry, content_of, evidence_bytes
from tallystick.store.cases.casefile import CaseFile, ClaimMovedOnError, load, pinned_deposit
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import database_now
from tallystick.store.ledger import ledger, tree
from tallystick.store.ledger.checkpoints import sign_checkpoint
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements
from tallystick.store.registers.deposits import StoredDeposit
from tallystick.store.registers.verdicts import verdict_on


def export(
    session: Session,
    claim: Digest,
    log_key: SigningKey,
    *,
    root_keys: Iterable[PublicKey],
    at: datetime | None = None,
    checkpoint: bytes | None = None,
) -> bytes:
    """Return the evidence file of a claim, as it stands now, sealed with the log key.

    Args:
        session: It only reads, if there is a checkpoint.
        claim: The claim's digest.
        log_key: The worker's key, which the claim's agreement pins.
        root_keys: The escrow agent's keys, from the deployment's settings.
        at: When the seal is issued; absent: now, by the database's clock.
        checkpoint: The log's newest; absent: it is signed here.

    Raises:
        ClaimMovedOnError: The claim has entries that the checkpoint does not cover.
        NoSuchClaimError: No such claim was filed.
        LedgerCorruptError: The log is not what was signed before; nothing is exported.
        MalformedEvidenceError: Larger than an evidence file may be.
        TallystickError: The record contains something that must not be in it.
    """
    case_file = load(session, claim)
    agreement = case_file.agreement
    origin = origin_of(agreement.deployment, agreement.id)
    note = checkpoint or sign_checkpoint(session, agreement.id, log_key, origin)
    signed = open_checkpoint(note, origin=origin, public_key=log_key.public_key)
    if case_file.raw[-1].index >= signed.size:
        raise ClaimMovedOnError("the log has grown since its checkpoint was signed", size=signed.size)
    case = ExportedCase(
        deployment=Deployment(
            id=agreement.deployment, engine=agreement.engine, root_keys=tuple(sorted(set(root_keys)))
        ),
        agreement_digest=case_file.terms.digest,
        claim=claim,
        checkpoint=note,
        entries=_filed(session, case_file, signed),
    )
    return evidence_bytes(case, _seal(case, case_file.terms, at or database_now(session)), log_key)


def _seal(case: ExportedCase, terms: Terms, at: datetime) -> EvidenceSeal:
    return EvidenceSeal(
        **terms.header(engine_person(terms.agreement.deployment), at, new_nonce()),
        claim=case.claim,
        content=content_of(case),
        entries=len(case.entries),
    )


def _filed(session: Session, case: CaseFile, signed: Checkpoint) -> tuple[FiledEntry, ...]:
    wanted = _wanted(session, case)
    seen = _seen(session, case, signed.size)
    proofs = tree.inclusion_proofs(session, case.agreement.id, wanted, signed)
    return tuple(
        FiledEntry(
            index=entry.index,
            accepted_at=entry.accepted_at,
            salt=entry.salt,
            envelope=entry.statement(),
            proof=proof,
            seen=seen.get(entry.statement_id),
        )
        for entry, proof in zip(wanted, proofs, strict=True)
    )


def _seen(session: Session, case: CaseFile, size: int) -> dict[Digest, EarlierLog]:
    """Return the log at the size that each statement names, with the proof that a verifier needs.

    Args:
        size: How many entries the checkpoint covers.
    """
    deposit = pinned_deposit(session, case)
    named = [(entry.index, entry.signed.id, entry.signed.body) for entry in case.claim.entries]
    sizes = {
        statement: seen.size
        for index, statement, body in (*named, (deposit.entry.index, deposit.digest, deposit.body()))
        if (seen := ledger_seen(body)) is not None and 0 <= seen.size <= index
    }
    asked = frozenset(sizes.values())
    roots = tree.roots_at(session, case.agreement.id, asked)
    if lost := sorted(asked - roots.keys()):
        raise LedgerCorruptError("the stored tree is damaged", index=lost[0])
    proofs = tree.consistency_proofs(session, case.agreement.id, asked, size)
    return {one: EarlierLog(root=roots[at], proof=proofs[at]) for one, at in sizes.items()}


def _wanted(session: Session, case: CaseFile) -> Sequence[LedgerEntry]:
    """Return the entries that belong in the file, in ledger order: the claim's, and those they depend on.

    No deposit but the pinned one is among them: however many there are, a claim's file grows by none.
    """
    deposit = pinned_deposit(session, case)
    found_whole = _verdict(session, case, deposit)
    needed = [*case.raw, deposit.entry, found_whole, *_custody(session, case, deposit)]
    versions = _versions(session, case, needed)
    return sorted({entry.index: entry for entry in [*needed, *versions]}.values(), key=lambda e: e.index)


def _verdict(session: Session, case: CaseFile, deposit: StoredDeposit) -> LedgerEntry:
    verdict = verdict_on(session, case.agreement.id, deposit.digest)
    assert verdict is not None, "a claim is filed on a deposit that was found whole"
    return ledger.named_entry(session, case.agreement.id, verdict.statement)


def _custody(session: Session, case: CaseFile, deposit: StoredDeposit) -> list[LedgerEntry]:
    named = {component.custody for component in deposit.body().components}
    return [ledger.named_entry(session, case.agreement.id, custody) for custody in sorted(named)]


def _versions(session: Session, case: CaseFile, needed: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Return every version on record at filing, and every one up to the last that a statement names."""
    named = {str(body_of(entry.statement()).get("agreement_digest")) for entry in needed}
    places = agreements.places(session, case.agreement.id)
    last = max(place.version for place in places if place.digest in named)
    filing = case.raw[0].index  # with every version before it, the file shows which one was in force
    return [
        ledger.named_entry(session, case.agreement.id, place.digest)
        for place in places
        if place.version <= last or place.index < filing
    ]
