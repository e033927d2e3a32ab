"""Making a deposit: each component's folder sealed in one pass to its custody epoch, signed, and uploaded."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tallystick.bag.survey import survey
from tallystick.bag.write import write_bag
from tallystick.client.blobs import put_blob
from tallystick.client.route import route
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.crypto.envelope import Envelope, new_nonce, statement_id, unsigned
from tallystick.desk.clock import now
from tallystick.desk.custody import check_not_older, custody_epochs
from tallystick.desk.deposits import latest_deposits
from tallystick.desk.desk import Desk
from tallystick.desk.kept.begun import Begun, Work, file_of, working_in
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, PersonId, name
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import TREE, Deposit, DepositedComponent
from tallystick.domain.statements.signed import Signed, expect
from tallystick.durable import sync_file
from tallystick.proof.reading import SignedAgreement, read_signed


class ComponentFolderError(TallystickError):
    """A component's folder is not what the agreement asks for."""

    code = "component-folder"
    why = "Each component needs a folder of its own name, with every entry that the agreement requires."
    advice = "Add what is missing, or name the components to deposit with `--component`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """Seals components of one deposit into files of a folder; no plaintext is written there.

    Attributes:
        day: When the bags were made.
    """

    work: Work
    agreement: Agreement
    number: int
    day: date

    def seal(
        self, component: ComponentId, folder: Path, epoch: Signed[Custody]
    ) -> tuple[DepositedComponent, str]:
        """Bag, archive, seal and hash a component's folder in one pass; return its content's digest as well.

        Raises:
            TallystickError: The folder has something that a bag cannot have.
        """
        with (self.work.folder / file_of(component)).open("xb") as out:
            writer = SealingWriter(out, [parse_recipient(epoch.body.recipient)])
            bag = write_bag(
                folder,
                writer,
                name=component,
                external_identifier=f"{self.agreement.id} {component} {self.number}",
                bagged_on=self.day,
            )
            sealed = writer.finish()
            sync_file(out)
        deposited = DepositedComponent(
            component=component,
            custody=epoch.id,
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=bag.manifest_digest,
            files=bag.files,
            payload_bytes=bag.payload_bytes,
        )
        return deposited, bag.content_digest


def make_deposit(
    desk: Desk,
    folder: Path,
    agreement: str,
    *,
    components: Sequence[str] | None,
    watermark: datetime | None,
    confirm: Confirm,
    trusted: str | None,
    scratch: Path | None = None,
) -> tuple[int, JsonObject]:
    """Seal and sign what is in `folder`, and upload it; return the deposit's number and the server's answer.

    Everything that can be refused early is refused before a large folder is sealed. What an earlier call
    sealed from the same content, and which the server has not answered, is sent and not sealed again.

    Args:
        folder: Has one subfolder for each component.
        components: Which to deposit; None for those that have a subfolder.
        watermark: The moment as of which the content is consistent; None for now.
        confirm: Shows the deposit to the person before it is signed.
        scratch: The folder for sealed files until the deposit is on record; None for one next to the key.

    Raises:
        NotYoursError: The person at the desk is not the depositor's.
        ComponentFolderError: A component's folder is missing or not complete.
        WorkUnderWayError: Another call makes a deposit under this agreement now.
        TallystickError: The server refused or did not answer, or what it showed is not what was signed.
    """
    view = desk.agreement_view(agreement)
    signed = desk.checked_agreement(view, agreement, trusted=trusted)
    person = _depositing_person(desk, signed.agreement)
    folders = folders_of(folder, signed.agreement, components)
    for line in () if components else left_out(folder, signed.agreement, folders):
        desk.tell(line)
    with working_in((scratch or desk.unsent.folder) / f"deposit-{signed.agreement.id}") as work:
        making = _Making(
            desk=desk,
            signed=signed,
            person=person,
            folders=folders,
            work=work,
            earlier=_earlier(desk, signed.agreement, folders, work),
        )
        envelope = making.begun_before(watermark) or making.begun_now(view, watermark or now(), confirm)
        return making.finished(envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """One deposit on its way.

    Attributes:
        earlier: The last deposits, oldest first: as many as matter to this one.
    """

    desk: Desk
    signed: SignedAgreement
    person: PersonId
    folders: Mapping[ComponentId, Path]
    work: Work
    earlier: Sequence[Signed[Deposit]]

    def begun_before(self, watermark: datetime | None) -> Envelope | None:
        """Return the deposit that an earlier run signed, if it is of this content and may still be sent."""
        begun = self.work.unanswered(now())
        if begun is None:
            return None
        statement = expect(read_signed(begun, self.signed.agreement), Deposit)
        body = statement.body
        if body.person != self.person:  # in a folder that two share; each sends what they signed themselves
            return None
        on_record = statement.id in {deposit.id for deposit in self.earlier}
        if not (on_record or self._is_next(body)) or watermark not in {None, body.watermark}:
            return None
        if not self._is_of_this_content(body):
            self.desk.tell("the folder is not the one that was sealed before: it is sealed anew")
            return None
        self.desk.tell(f"going on with deposit {body.number}, signed at {instant_text(body.issued_at)}")
        return begun

    def begun_now(self, view: JsonObject, watermark: datetime, confirm: Confirm) -> Envelope:
        """Seal every component, show the deposit and sign it."""
        self.work.clear()
        epochs = custody_epochs(self.desk, view, self.signed.agreement, list(self.folders))
        check_not_older(self.desk, self.signed.agreement, epochs, self.earlier)
        number, day = self._number, now().date()
        sealing = Sealing(work=self.work, agreement=self.signed.agreement, number=number, day=day)
        sealed = [sealing.seal(name, path, epochs[name]) for name, path in self.folders.items()]
        body = Deposit(
            **self.signed.terms.header(self.person, now(), new_nonce()),
            number=sealing.number,
            watermark=watermark,
            components=tuple(component for component, _ in sealed),
            previous=self.earlier[-1].id if self.earlier else None,
            tree=TREE,
            ledger_seen=self.desk.ledger_seen(self.signed.agreement.id),
        )
        said = unsigned(Kind.DEPOSIT, encode_object(body))
        envelope = signed_if_confirmed(said, self.desk.keys, confirm, agreement=self.signed.agreement)
        contents = {str(component.component): content for component, content in sealed}
        self.work.keep(Begun(envelope=envelope, plain=contents))
        return envelope

    def finished(self, envelope: Envelope) -> tuple[int, JsonObject]:
        """Upload what is missing and send the deposit; forget it once it is answered."""
        body = expect(read_signed(envelope, self.signed.agreement), Deposit).body
        with self.work.kept_if_open():
            if statement_id(envelope) not in {deposit.id for deposit in self.earlier}:
                _upload(self.desk, self.work, self.signed.agreement, body.components)
            path = route("agreements", self.signed.agreement.id, "deposits")
            answer = self.desk.client.post_statement(path, envelope)
        self.desk.unsent.sent.keep(envelope)
        self.work.clear()
        return body.number, answer

    def _is_next(self, body: Deposit) -> bool:
        previous = self.earlier[-1].id if self.earlier else None
        return (body.number, body.previous) == (self._number, previous)

    @property
    def _number(self) -> int:
        return self.earlier[-1].body.number + 1 if self.earlier else 1

    def _is_of_this_content(self, body: Deposit) -> bool:
        named = [component.component for component in body.components]
        if named != list(self.folders) or body.agreement_digest != self.signed.terms.digest:
            return False
        plain = self.work.sealed_from()
        return all(
            self.work.has(file_of(component.component), component.sealed_digest)
            and survey(self.folders[component.component]).content_digest == plain.get(component.component)
            for component in body.components
        )


def _earlier(
    desk: Desk, agreement: Agreement, folders: Mapping[ComponentId, Path], work: Work
) -> Sequence[Signed[Deposit]]:
    begun = work.unanswered(now())
    number = None if begun is None else expect(read_signed(begun, agreement), Deposit).body.number
    return latest_deposits(desk, agreement, folders, down_to=number)


def _depositing_person(desk: Desk, agreement: Agreement) -> PersonId:
    person = desk.person_in(agreement)
    if person.party != depositor(agreement).id:
        raise NotYoursError("only the depositor may deposit", person=person.id)
    return person.id


def _upload(desk: Desk, work: Work, agreement: Agreement, components: Sequence[DepositedComponent]) -> None:
    for entry in components:
        desk.tell(f"uploading {entry.component}: {entry.sealed_bytes} bytes, {entry.sealed_digest}")
        file = work.folder / file_of(entry.component)
        put_blob(desk.client, file, entry.sealed_digest, agreement=agreement.id, purpose="deposit")


def folders_of(
    folder: Path, agreement: Agreement, wanted: Sequence[str] | None
) -> Mapping[ComponentId, Path]:
    """Return the folder of each component to deposit, in the agreement's order.

    Raises:
        ComponentFolderError: There is none, or one or an entry that it requires is missing.
        NotInAgreementError: The agreement has no such component.
    """
    for given in wanted or ():
        agreement.component(ComponentId(name(given)))
    chosen = [
        component
        for component in agreement.components
        if (component.id in wanted if wanted else (folder / component.id).is_dir())
    ]
    if not chosen:
        raise ComponentFolderError(f"{folder} has no component's folder", folder=folder.name)
    for component in chosen:
        missing = [path for path in component.required_entries if not has_entry(folder / component.id, path)]
        if missing or not (folder / component.id).is_dir():
            raise ComponentFolderError(
                f"{folder / component.id} is not complete", component=component.id, missing=sorted(missing)
            )
    return {component.id: folder / component.id for component in chosen}


def has_entry(folder: Path, path: str) -> bool:
    """Return whether there is something at `path` below `folder`, in any spelling of the same text.

    Systems differ in how they write a name with accents, and an agreement may have been typed on another
    one; so both sides are compared in Unicode NFC (UAX 15), as a bag's names are.
    """
    places = [folder]
    for segment in unicodedata.normalize("NFC", path).split("/"):
        inside = (child for place in places if place.is_dir() for child in place.iterdir())
        places = [child for child in inside if unicodedata.normalize("NFC", child.name) == segment]
    return any(place.exists() for place in places)


def left_out(folder: Path, agreement: Agreement, chosen: Mapping[ComponentId, Path]) -> Iterator[str]:
    """Say what a deposit leaves out, so that nobody overlooks a misspelt folder."""
    named = {component.id: None for component in agreement.components}
    if missing := [name for name in named if name not in chosen]:
        yield f"not in this deposit: {', '.join(missing)}"
    if others := sorted(path.name for path in folder.iterdir() if path.name not in named):
        yield f"left out, as the agreement has no such component: {', '.join(map(quoted, others))}"
