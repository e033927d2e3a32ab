"""Filing a claim: read the form that people write, seal its evidence, sign and send the statement."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallystick.client.answers import member, text
from tallystick.client.blobs import put_blob
from tallystick.client.route import route
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.crypto.envelope import Envelope, new_nonce, statement_id, unsigned
from tallystick.desk.claim_form import AttachedFile, FormInPlace
from tallystick.desk.deposits import read_deposit
from tallystick.desk.desk import Desk
from tallystick.desk.files import unreadable, unwritable
from tallystick.desk.kept.begun import Begun, Hashing, Work, file_of, working_in
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement, readers
from tallystick.domain.claim.receivers import as_receivers, by_default
from tallystick.domain.claim.state import CLOSED
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.record.filing import check_says
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.refusals import DepositNotClaimableError
from tallystick.domain.soundness.check import obstacles
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument, Receiver
from tallystick.domain.statements.signed import Signed, expect
from tallystick.durable import sync_file
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.proof.case import Case
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

    Everything that can be refused here is refused before anything is uploaded, and the documents are in the
    stores before anything is signed: if one does not arrive, nothing is. A claim that was signed here and
    never answered is not signed again: its own statement is sent.

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
        filing = _Filing(desk=desk, placed=placed, signed=signed, work=work, deposit=deposit, at=at)
        return filing.sent(filing.begun_before() or filing.begun_now(confirm))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filing:
    """One claim on its way."""

    desk: Desk
    placed: FormInPlace
    signed: SignedAgreement
    work: Work
    deposit: Signed[Deposit]
    at: datetime

    def begun_before(self) -> Envelope | None:
        """Return what an earlier call has signed, if it says what the form says and may still be sent."""
        begun = self.work.unanswered(self.at)
        if begun is None:
            return None
        body = expect(read_signed(begun, self.agreement), ClaimFiling).body
        if body.person != self.desk.person_in(self.agreement).id:
            return None
        whole = all(self.work.has(file_of(one.item), one.sealed_digest) for one in body.evidence)
        if not self._says_the_same(body) or not whole or self._is_closed(statement_id(begun)):
            return None
        self.desk.tell("you signed this claim before, and no answer came: the same claim is sent again")
        self._upload(body.evidence)  # what was there may have been removed meanwhile
        return begun

    def begun_now(self, confirm: Confirm) -> Envelope:
        """Seal the documents, show the claim, and sign it once every document is in the stores."""
        documents = self._sealed_before() or self._sealed_now()
        body = self._body(documents)
        check_says(self.signed.terms, body, at=self.at, deposit=self.deposit.body)

        def confirmed_and_uploaded(lines: Sequence[str]) -> None:
            confirm(lines)
            self.work.keep(Begun(plain=self._plain(documents)))
            self._upload(documents)

        said = unsigned(Kind.CLAIM, encode_object(body))
        envelope = signed_if_confirmed(said, self.desk.keys, confirmed_and_uploaded, agreement=self.agreement)
        self.work.keep(Begun(plain=self._plain(documents), envelope=envelope))
        return envelope

    def sent(self, envelope: Envelope) -> JsonObject:
        """Send the claim; once it is answered, only its sealed documents are kept."""
        with self.work.kept_if_open():
            answer = self.desk.client.post_statement(route("claims"), envelope)
        self.desk.unsent.sent.keep(envelope)
        self._keep(expect(read_signed(envelope, self.agreement), ClaimFiling).body.evidence)
        self.work.clear()
        return answer

    @property
    def agreement(self) -> Agreement:
        return self.signed.agreement

    def _says_the_same(self, body: ClaimFiling) -> bool:
        form = self.placed.form
        asked = (
            self.signed.terms.digest,
            form.condition,
            self.deposit.id,
            form.stages,
            _stripped(form.declaration),
            form.for_,
            self._receivers(body.person),
        )
        said = (
            body.agreement_digest,
            body.condition,
            body.deposit,
            body.stages,
            body.declaration,
            body.for_,
            body.receivers,
        )
        attached = [(one.item, one.issued_at, self._plain_digest(one)) for one in form.evidence]
        return said == asked and attached == [(d.item, d.issued_at, d.plain_digest) for d in body.evidence]

    def _is_closed(self, claim: Digest) -> bool:
        """Return whether the claim was recorded all the same, and has ended: it is not sent again."""
        try:
            state = text(self.desk.client.get(route("claims", claim)), "state")
        except TallystickError as error:
            if error.code == "no-such-claim":
                return False
            raise
        return state in {closed.value for closed in CLOSED}

    def _sealed_before(self) -> tuple[EvidenceDocument, ...]:
        """Return the documents if an earlier call has sealed all of them, and from the same files."""
        attached = self.placed.form.evidence
        sealed = [self.work.digest_of(file_of(one.item)) for one in attached]
        documents = tuple(
            _document(one, self._plain_digest(one), digest)
            for one, digest in zip(attached, sealed, strict=True)
            if digest is not None
        )
        same = self.work.sealed_from() == self._plain(documents)
        return documents if same and len(documents) == len(attached) else ()

    def _sealed_now(self) -> tuple[EvidenceDocument, ...]:
        self.work.clear()
        return tuple(self._seal(one) for one in self.placed.form.evidence)

    def _seal(self, entry: AttachedFile) -> EvidenceDocument:
        """Seal a document to the people whom the agreement entitles to read it."""
        self.agreement.evidence_item(entry.item)
        recipients = [parse_recipient(reader.age_recipient) for reader in readers(self.agreement)]
        out = self.work.folder / file_of(entry.item)
        try:
            with out.open("xb") as sink:
                writer = SealingWriter(sink, recipients)
                plain = Hashing(writer)
                for chunk in _chunks(self.placed.folder / entry.file):
                    plain.write(chunk)
                sealed = writer.finish()
                sync_file(sink)
        except OSError as error:
            raise unwritable(out, error) from error
        return _document(entry, plain.digest(), sealed.digest)

    def _plain(self, documents: Iterable[EvidenceDocument]) -> dict[str, str]:
        """Return from what each document was sealed, and under which version of the agreement."""
        version = self.signed.terms.digest
        return {one.item: f"{one.plain_digest} {one.sealed_digest} {version}" for one in documents}

    def _plain_digest(self, entry: AttachedFile) -> Digest:
        plain = Hashing()
        for chunk in _chunks(self.placed.folder / entry.file):
            plain.write(chunk)
        return Digest(plain.digest())

    def _upload(self, documents: Iterable[EvidenceDocument]) -> None:
        """Put the documents into the stores; those that are there already are only asked for."""
        for one in documents:
            file = self.work.folder / file_of(one.item)
            refused = f"{one.item} is not in the stores, so the claim was not sent"
            with self._told(refused), self.work.kept_if_open():
                put_blob(
                    self.desk.client, file, one.sealed_digest, agreement=self.agreement.id, purpose="evidence"
                )

    @contextmanager
    def _told(self, refused: str) -> Generator[None]:
        try:
            yield
        except TallystickError:
            self.desk.tell(refused)
            raise

    def _keep(self, documents: Iterable[EvidenceDocument]) -> None:
        """Keep the sealed documents: should the stores lose one, nothing else can take its place."""
        try:
            for one in documents:
                self.desk.documents.keep(self.work.folder / file_of(one.item), one.sealed_digest)
        except OSError as error:  # the claim is on record: this does not make it fail
            self.desk.tell(f"a sealed document could not be kept: {error.strerror}")

    def _receivers(self, person: PersonId) -> tuple[Receiver, ...]:
        """Return whom the form names, or else whom the agreement has receive by default."""
        form = self.placed.form
        if form.for_ is not None:
            return as_receivers(self.agreement, form.receivers)
        return as_receivers(self.agreement, form.receivers or by_default(self.agreement, person))

    def _body(self, documents: tuple[EvidenceDocument, ...]) -> ClaimFiling:
        form, person = self.placed.form, self.desk.person_in(self.agreement).id
        return ClaimFiling(
            **self.signed.terms.header(person, self.at, new_nonce()),
            generation=newest_generation(),
            condition=form.condition,
            deposit=self.deposit.id,
            stages=form.stages,
            evidence=documents,
            receivers=self._receivers(person),
            purpose=Purpose.RELEASE,
            for_=form.for_,
            declaration=_stripped(form.declaration),
            ledger_seen=self.desk.ledger_seen(self.agreement.id),
        )


def send_documents(desk: Desk, case: Case) -> Sequence[tuple[str, bool]]:
    """Send the documents of a claim on record again, from the files that were sealed when it was filed.

    What a store has is only asked for. Return each document's item, and whether it is in the stores: not, if
    its file is not kept here.

    Raises:
        TallystickError: The server refused (its code), or did not answer.
    """
    found = list[tuple[str, bool]]()
    for one in case.claim.filing.evidence:
        file = desk.documents.find(one.sealed_digest)
        if file is not None:
            put_blob(desk.client, file, one.sealed_digest, agreement=case.agreement.id, purpose="evidence")
        found.append((one.item, file is not None))
    return found


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _deposit(desk: Desk, agreement: Agreement, wanted: int) -> Signed[Deposit]:
    view = desk.client.get(route("agreements", agreement.id, "deposits", wanted))
    verdict = text(member(view, "verdict"), "state")
    if verdict != "verified":
        raise DepositNotClaimableError("the deposit is not verified", number=wanted, verdict=verdict)
    return read_deposit(view, agreement, asked=wanted)


def _document(entry: AttachedFile, plain: str, sealed: Digest) -> EvidenceDocument:
    return EvidenceDocument(
        item=entry.item, issued_at=entry.issued_at, plain_digest=Digest(plain), sealed_digest=sealed
    )


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as source:
            while chunk := source.read(BLOB_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(file, error) from error
