"""Filing a claim: read the form that people write, seal its evidence, sign and send the statement."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallystick.client.answers import member, text
from tallystick.client.blobs import put_blob
from tallystick.crypto.age import SealingWriter, parse_identity, parse_recipient
from tallystick.crypto.custody.claim_recipient import claim_identity
from tallystick.crypto.envelope import new_nonce, unsigned
from tallystick.desk.claim_form import AttachedFile, ClaimForm, FormInPlace
from tallystick.desk.deposits import read_deposit
from tallystick.desk.desk import Desk
from tallystick.desk.files import unreadable, unwritable
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.record.filing import check_filing
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.refusals import DepositNotClaimableError
from tallystick.domain.soundness.finding import Finding
from tallystick.domain.soundness.simulation.simulated import simulated
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.signed import Signed, expect
from tallystick.limits import BLOB_CHUNK_BYTES
from tallystick.proof.reading import SignedAgreement, read_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class _SealedFile:
    document: EvidenceDocument
    file: Path


def file_claim(
    desk: Desk,
    placed: FormInPlace,
    scratch: Path,
    *,
    confirm: Confirm,
    tell: Callable[[Finding], None],
    at: datetime,
    trusted: str | None,
) -> JsonObject:
    """File a claim, and return the server's answer.

    Everything that can be refused here is refused before anything is uploaded.

    Args:
        confirm: Shows the claim to the person before it is signed.
        tell: Takes what goes wrong with claims that are filed now, before that; the server decides.

    Raises:
        TallystickError: The claim breaks a rule, or the server refused or did not answer.
    """
    form = placed.form
    signed = desk.agreement(form.agreement, trusted=trusted)
    for finding in simulated(signed.agreement, at=at):
        tell(finding)
    deposit = _deposit(desk, signed.agreement, form.deposit)
    sealed = [_seal(entry, placed.folder, scratch, signed.agreement) for entry in form.evidence]
    documents = tuple(entry.document for entry in sealed)
    body = _filing(desk, signed, form, deposit=deposit.id, evidence=documents, at=at)
    filing = unsigned(Kind.CLAIM, encode_object(body))
    envelope = signed_if_confirmed(filing, desk.keys, confirm, agreement=signed.agreement)
    statement = expect(read_signed(envelope, signed.agreement), ClaimFiling)
    check_filing(signed.terms, statement, at=at, deposit=deposit.body)
    for entry in sealed:
        put_blob(
            desk.client,
            entry.file,
            entry.document.sealed_digest,
            agreement=form.agreement,
            purpose="evidence",
        )
    return desk.client.post_statement("/v1/claims", envelope)


def _deposit(desk: Desk, agreement: Agreement, wanted: int) -> Signed[Deposit]:
    view = desk.client.get(f"/v1/agreements/{agreement.id}/deposits/{wanted}")
    verdict = text(member(view, "verdict"), "state")
    if verdict != "verified":
        raise DepositNotClaimableError("the deposit is not verified", number=wanted, verdict=verdict)
    return read_deposit(view, agreement)


def _filing(
    desk: Desk,
    signed: SignedAgreement,
    form: ClaimForm,
    *,
    deposit: Digest,
    evidence: tuple[EvidenceDocument, ...],
    at: datetime,
) -> ClaimFiling:
    agreement, nonce = signed.agreement, new_nonce()
    recipient = claim_identity(parse_identity(desk.keys.age_identity), nonce).recipient()
    return ClaimFiling(
        **signed.terms.header(desk.person_in(agreement).id, at, nonce),
        generation=newest_generation(),
        condition=form.condition,
        deposit=deposit,
        stages=form.stages,
        evidence=evidence,
        recipient=str(recipient),
        purpose=Purpose.RELEASE,
        declaration=form.declaration.strip(),
    )


def _seal(entry: AttachedFile, folder: Path, scratch: Path, agreement: Agreement) -> _SealedFile:
    """Seal a document to the people whom the agreement entitles to read it."""
    agreement.evidence_item(entry.item)
    readers = [
        parse_recipient(agreement.person(reader).age_recipient) for reader in agreement.evidence_readers
    ]
    plain, out = hashlib.sha256(), scratch / f"{entry.item}.age"
    try:
        with out.open("wb") as sink:
            writer = SealingWriter(sink, readers)
            for chunk in _chunks(folder / entry.file):
                plain.update(chunk)
                writer.write(chunk)
            sealed = writer.finish()
    except OSError as error:
        raise unwritable(out, error) from error
    document = EvidenceDocument(
        item=entry.item,
        issued_at=entry.issued_at,
        plain_digest=Digest(f"sha256:{plain.hexdigest()}"),
        sealed_digest=sealed.digest,
    )
    return _SealedFile(document=document, file=out)


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as source:
            while chunk := source.read(BLOB_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(file, error) from error
