"""Filing a claim: read the form that people write, seal its evidence, sign and send the statement."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tallystick.client.answers import member, text
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, new_nonce, statement_id, unsigned
from tallystick.desk.claim_form import FormInPlace
from tallystick.desk.deposits import read_deposit
from tallystick.desk.desk import Desk
from tallystick.desk.documents.sealing import DocumentSealing, FileToSeal, plain_digest
from tallystick.desk.kept.begun import Begun, Work, working_in
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.documents import documents_in
from tallystick.domain.claim.receivers import as_receivers, by_default
from tallystick.domain.claim.state import CLOSED
from tallystick.domain.codec import encode_object
from tallystick.domain.deposit.age import old_content
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
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.signed import Signed, expect
from tallystick.proof.reading import SignedAgreement, read_signed


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
        whole = self._sealing.holds(documents_in(body))
        if not self._says_the_same(body) or not whole or self._is_closed(statement_id(begun)):
            return None
        self.desk.tell("you signed this claim before, and no answer came: the same claim is sent again")
        self._upload(documents_in(body))  # what was there may have been removed meanwhile
        return begun

    def begun_now(self, confirm: Confirm) -> Envelope:
        """Seal the documents, show the claim, and sign it once every document is in the stores."""
        documents = self._sealing.sealed(self._brought())
        body = self._body(documents)
        check_says(self.signed.terms, body, at=self.at, deposit=self.deposit.body)
        for line in old_content(self.agreement, body, self.deposit.body, self.at):
            self.desk.tell(f"note: {line}")

        def confirmed_and_uploaded(lines: Iterable[str]) -> None:
            confirm(lines)
            self.work.keep(Begun(plain=self._sealing.plain(documents)))
            self._upload(documents)

        said = unsigned(Kind.CLAIM, encode_object(body))
        envelope = signed_if_confirmed(said, self.desk.keys, confirmed_and_uploaded, agreement=self.agreement)
        self.work.keep(Begun(plain=self._sealing.plain(documents), envelope=envelope))
        return envelope

    def sent(self, envelope: Envelope) -> JsonObject:
        """Send the claim; once it is answered, only its sealed documents are kept."""
        with self.work.kept_if_open():
            answer = self.desk.client.post_statement(route("claims"), envelope)
        self.desk.unsent.sent.keep(envelope)
        self._sealing.keep(documents_in(read_signed(envelope, self.agreement).body))
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
        attached = [(one.name, one.issued_at, plain_digest(one.file)) for one in self._brought()]
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

    def _brought(self) -> tuple[FileToSeal, ...]:
        """Return the files that the form attaches, each as the evidence item that the agreement knows."""
        return tuple(
            FileToSeal(
                name=self.agreement.evidence_item(one.item).id,
                file=self.placed.folder / one.file,
                issued_at=one.issued_at,
            )
            for one in self.placed.form.evidence
        )

    def _upload(self, documents: Iterable[Document]) -> None:
        with self.work.kept_if_open():
            self._sealing.upload(documents, refused="the claim was not sent")

    @property
    def _sealing(self) -> DocumentSealing:
        return DocumentSealing(desk=self.desk, terms=self.signed.terms, work=self.work)

    def _receivers(self, person: PersonId) -> tuple[Receiver, ...]:
        """Return whom the form names, or else whom the agreement has receive by default."""
        form = self.placed.form
        if form.for_ is not None:
            return as_receivers(self.agreement, form.receivers)
        return as_receivers(self.agreement, form.receivers or by_default(self.agreement, person))

    def _body(self, documents: tuple[Document, ...]) -> ClaimFiling:
        form, person = self.placed.form, self.desk.person_in(self.agreement).id
        return ClaimFiling(
            **self.signed.terms.header(person, self.at, new_nonce()),
            generation=newest_generation(),
            condition=form.condition,
            deposit=self.deposit.id,
            stages=form.stages,
            evidence=tuple(_evidence(documents)),
            receivers=self._receivers(person),
            purpose=Purpose.RELEASE,
            for_=form.for_,
            declaration=_stripped(form.declaration),
            ledger_seen=self.desk.ledger_seen(self.agreement.id),
        )


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _deposit(desk: Desk, agreement: Agreement, wanted: int) -> Signed[Deposit]:
    view = desk.client.get(route("agreements", agreement.id, "deposits", wanted))
    verdict = text(member(view, "verdict"), "state")
    if verdict != "verified":
        raise DepositNotClaimableError("the deposit is not verified", number=wanted, verdict=verdict)
    return read_deposit(view, agreement, asked=wanted)


def _evidence(documents: Iterable[Document]) -> Iterator[EvidenceDocument]:
    for one in documents:
        assert one.issued_at is not None, "a form dates each document"
        yield EvidenceDocument(
            item=one.name,
            issued_at=one.issued_at,
            plain_digest=one.plain_digest,
            sealed_digest=one.sealed_digest,
        )
