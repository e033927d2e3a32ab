"""Making a deposit: each component's folder sealed in one pass to its custody epoch, signed, and uploaded."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tallystick.bag.write import write_bag
from tallystick.client.blobs import put_blob
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.crypto.envelope import new_nonce, unsigned
from tallystick.desk.clock import now
from tallystick.desk.custody import custody_epochs
from tallystick.desk.deposits import verified_deposits
from tallystick.desk.desk import Desk
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, PersonId, name
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.signed import Signed


class ComponentFolderError(TallystickError):
    """A component's folder is not what the agreement asks for."""

    code = "component-folder"
    why = "Each component needs a folder of its own name, with every entry that the agreement requires."
    advice = "Add what is missing, or name the components to deposit with `--component`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """Seals components of one deposit into files of a scratch folder; no plaintext is written there."""

    scratch: Path
    agreement: Agreement
    number: int

    def file(self, component: ComponentId) -> Path:
        """Return the file of a sealed component."""
        return self.scratch / f"{component}.age"

    def seal(
        self, component: ComponentId, folder: Path, epoch: Signed[Custody], day: date
    ) -> DepositedComponent:
        """Bag, archive, seal and hash a component's folder in one pass.

        Raises:
            TallystickError: The folder has something that a bag cannot have.
        """
        with self.file(component).open("xb") as out:
            writer = SealingWriter(out, [parse_recipient(epoch.body.recipient)])
            bag = write_bag(
                folder,
                writer,
                name=component,
                external_identifier=f"{self.agreement.id} {component} {self.number}",
                bagged_on=day,
            )
            sealed = writer.finish()
        return DepositedComponent(
            component=component,
            custody=epoch.id,
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=bag.manifest_digest,
            files=bag.files,
            payload_bytes=bag.payload_bytes,
        )


def make_deposit(
    desk: Desk,
    folder: Path,
    agreement: str,
    *,
    components: Sequence[str] | None,
    watermark: datetime,
    confirm: Confirm,
    trusted: str | None,
) -> tuple[int, JsonObject]:
    """Seal and sign what is in `folder`, and upload it; return the deposit's number and the server's answer.

    Everything that can be refused early is refused before a large folder is sealed.

    Args:
        folder: Has one subfolder for each component.
        components: Which to deposit; None for those that have a subfolder.
        watermark: The moment as of which the content is consistent.
        confirm: Shows the deposit to the person before it is signed.

    Raises:
        NotYoursError: The person at the desk is not the depositor's.
        ComponentFolderError: A component's folder is missing or not complete.
        TallystickError: The server refused or did not answer, or what it showed is not what was signed.
    """
    view = desk.agreement_view(agreement)
    signed = desk.checked_agreement(view, agreement, trusted=trusted)
    person = _depositing_person(desk, signed.agreement)
    folders = folders_of(folder, signed.agreement, components)
    for line in () if components else left_out(folder, signed.agreement, folders):
        desk.tell(line)
    earlier = verified_deposits(desk, signed.agreement)
    epochs = custody_epochs(desk, view, signed.agreement, list(folders))
    with tempfile.TemporaryDirectory(prefix="tallystick-") as scratch:
        sealing = Sealing(scratch=Path(scratch), agreement=signed.agreement, number=len(earlier) + 1)
        sealed = [sealing.seal(name, path, epochs[name], now().date()) for name, path in folders.items()]
        body = Deposit(
            **signed.terms.header(person, now(), new_nonce()),
            number=sealing.number,
            watermark=watermark,
            components=tuple(sealed),
            previous=earlier[-1].id if earlier else None,
        )
        said = unsigned(Kind.DEPOSIT, encode_object(body))
        envelope = signed_if_confirmed(said, desk.keys, confirm, agreement=signed.agreement)
        _upload(desk, sealing, sealed)
    return body.number, desk.client.post_statement(f"/v1/agreements/{signed.agreement.id}/deposits", envelope)


def _depositing_person(desk: Desk, agreement: Agreement) -> PersonId:
    person = desk.person_in(agreement)
    if person.party != depositor(agreement).id:
        raise NotYoursError("only the depositor may deposit", person=person.id)
    return person.id


def _upload(desk: Desk, sealing: Sealing, sealed: Sequence[DepositedComponent]) -> None:
    for entry in sealed:
        desk.tell(f"uploading {entry.component}: {entry.sealed_bytes} bytes, {entry.sealed_digest}")
        file = sealing.file(entry.component)
        put_blob(desk.client, file, entry.sealed_digest, agreement=sealing.agreement.id, purpose="deposit")


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
        missing = [path for path in component.required_entries if not (folder / component.id / path).exists()]
        if missing or not (folder / component.id).is_dir():
            raise ComponentFolderError(
                f"{folder / component.id} is not complete", component=component.id, missing=sorted(missing)
            )
    return {component.id: folder / component.id for component in chosen}


def left_out(folder: Path, agreement: Agreement, chosen: Mapping[ComponentId, Path]) -> Iterator[str]:
    """Say what a deposit leaves out, so that nobody overlooks a misspelt folder."""
    named = {component.id: None for component in agreement.components}
    if missing := [name for name in named if name not in chosen]:
        yield f"not in this deposit: {', '.join(missing)}"
    if others := sorted(path.name for path in folder.iterdir() if path.name not in named):
        yield f"left out, as the agreement has no such component: {', '.join(map(quoted, others))}"
