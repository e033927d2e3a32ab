"""Filing a claim: read the form that people write, seal its evidence, sign and send the statement."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tallystick.client.answers import member, text
from tallystick.client.blobs import put_blob
from tallystick.client.route import route
from tallystick.crypto.age import SealingWriter, parse_identity, parse_recipient
from tallystick.crypto.custody.claim_recipient import claim_identity
from tallystick.crypto.envelope import Envelope, body_of, new_nonce, statement_id, unsigned
from tallystick.desk.claim_form import AttachedFile, ClaimForm, FormInPlace
from tallystick.desk.deposits import read_deposit
from tallystick.desk.desk import Desk
from tallystick.desk.files import unreadable, unwritable
from tallystick.desk.kept.begun import Begun, Hashing, Work, file_of, working_in
from tallystick.desk.kept.unsent import is_expired, is_open
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.state import CLOSED
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.record.filing import check_filing
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.refusals import DepositNotClaimableError
from tallystick.domain.soundness.check import obstacles
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.signed import Signed, expect
from tallystick.durable import sync_file
from tallystick.limits import BLOB_CHUNK_BYTES
from tallystick.proof.reading import SignedAgreement, read_signed
from tallystick.regular import open_regular


def file_claim(
    desk: Desk,
    placed: FormInPlace,
    *,
    confirm: Confirm,
    at: datetime,
    trusted: str | None,
) -> JsonObject:
    """File a claim, and return the server's answer.

    Everything that can be refused here is refused before anything is uploaded. A claim that was signed
    here and never answered is not signed again: its own statement is sent.

    Args:
        confirm: Shows the claim to the person before it is signed.

    Raises:
        WorkUnderWayError: Another call files a claim under this agreement now.
        TallystickError: The claim breaks a rule, or the server refused or did not answer.
    """
    form = placed.form
    signed = desk.agreement(form.agreement, trusted=trusted)
    for finding in obstacles(signed.agreement, at=at):
        desk.tell(f"{finding.severity}: {finding.message}. {finding.advice}")
    deposit = _deposit(desk, signed.agreement, form.deposit)
    with working_in(desk.unsent.folder / f"claim-{signed.agreement.id}") as work:
        envelope = _begun_before(desk, placed, signed, work, deposit=deposit.id, at=at)
        if envelope is None:
            envelope = _begun_now(desk, placed, signed, work, deposit=deposit, confirm=confirm, at=at)
        return _sent(desk, work, signed.agreement, envelope)


def _begun_before(
    desk: Desk, placed: FormInPlace, signed: SignedAgreement, work: Work, *, deposit: Digest, at: datetime
) -> Envelope | None:
    """Return what an earlier call has signed, if it says what the form says and may still be sent."""
    begun, form = work.earlier(), placed.form
    if begun is None or is_expired(body_of(begun.envelope), at):
        return None
    body = expect(read_signed(begun.envelope, signed.agreement), ClaimFiling).body
    if body.person != desk.person_in(signed.agreement).id:
        return None
    asked = (signed.terms.digest, form.condition, deposit, form.stages, form.declaration.strip())
    attached = [(e.item, e.issued_at, _plain_digest(placed.folder / e.file)) for e in form.evidence]
    said = (body.agreement_digest, body.condition, body.deposit, body.stages, body.declaration)
    stated = [(document.item, document.issued_at, document.plain_digest) for document in body.evidence]
    whole = all(work.has(file_of(document.item), document.sealed_digest) for document in body.evidence)
    if said != asked or stated != attached or not whole or _is_closed(desk, statement_id(begun.envelope)):
        return None
    desk.tell("you signed this claim before, and no answer came: the same claim is sent again")
    return begun.envelope


def _is_closed(desk: Desk, claim: Digest) -> bool:
    """Return whether a claim was recorded all the same, and has ended: nothing comes of sending it again."""
    try:
        state = text(desk.client.get(route("claims", claim)), "state")
    except TallystickError as error:
        if error.code == "no-such-claim":
            return False
        raise
    return state in {closed.value for closed in CLOSED}


def _begun_now(
    desk: Desk,
    placed: FormInPlace,
    signed: SignedAgreement,
    work: Work,
    *,
    deposit: Signed[Deposit],
    confirm: Confirm,
    at: datetime,
) -> Envelope:
    work.clear()
    documents = tuple(_seal(entry, placed.folder, work, signed.agreement) for entry in placed.form.evidence)
    body = _filing(desk, signed, placed.form, deposit=deposit.id, evidence=documents, at=at)
    filing = unsigned(Kind.CLAIM, encode_object(body))
    envelope = signed_if_confirmed(filing, desk.keys, confirm, agreement=signed.agreement)
    statement = expect(read_signed(envelope, signed.agreement), ClaimFiling)
    check_filing(signed.terms, statement, at=at, deposit=deposit.body)
    work.keep(Begun(envelope=envelope, plain={}))
    return envelope


def _sent(desk: Desk, work: Work, agreement: Agreement, envelope: Envelope) -> JsonObject:
    """Upload the evidence and send the claim; forget it once it is answered."""
    body = expect(read_signed(envelope, agreement), ClaimFiling).body
    try:
        for document in body.evidence:
            file = work.folder / file_of(document.item)
            put_blob(desk.client, file, document.sealed_digest, agreement=agreement.id, purpose="evidence")
        answer = desk.client.post_statement(route("claims"), envelope)
    except TallystickError as error:
        if not is_open(error):
            work.clear()
        raise
    work.clear()
    return answer


def _deposit(desk: Desk, agreement: Agreement, wanted: int) -> Signed[Deposit]:
    view = desk.client.get(route("agreements", agreement.id, "deposits", wanted))
    verdict = text(member(view, "verdict"), "state")
    if verdict != "verified":
        raise DepositNotClaimableError("the deposit is not verified", number=wanted, verdict=verdict)
    return read_deposit(view, agreement, asked=wanted)


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
        ledger_seen=desk.ledger_seen(agreement.id),
    )


def _seal(entry: AttachedFile, folder: Path, work: Work, agreement: Agreement) -> EvidenceDocument:
    """Seal a document to the people whom the agreement entitles to read it."""
    agreement.evidence_item(entry.item)
    readers = [
        parse_recipient(agreement.person(reader).age_recipient) for reader in agreement.evidence_readers
    ]
    out = work.folder / file_of(entry.item)
    try:
        with out.open("xb") as sink:
            writer = SealingWriter(sink, readers)
            plain = Hashing(writer)
            for chunk in _chunks(folder / entry.file):
                plain.write(chunk)
            sealed = writer.finish()
            sync_file(sink)
    except OSError as error:
        raise unwritable(out, error) from error
    return EvidenceDocument(
        item=entry.item,
        issued_at=entry.issued_at,
        plain_digest=Digest(plain.digest()),
        sealed_digest=sealed.digest,
    )


def _plain_digest(file: Path) -> str:
    plain = Hashing()
    for chunk in _chunks(file):
        plain.write(chunk)
    return plain.digest()


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as source:
            while chunk := source.read(BLOB_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(file, error) from error
