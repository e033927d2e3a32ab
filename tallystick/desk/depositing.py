"""What a deposit is made of: each component's folder, sealed in one pass to its custody epoch."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tallystick.bag.write import write_bag
from tallystick.client.answers import digest_in, envelope_in, member, number, objects, text
from tallystick.client.ledgers import ledger_entry
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.desk.desk import Desk
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.deposit.provenance import chain_fault, custody_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, name
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.signed import expect
from tallystick.limits import CUSTODY_WAIT_MAX, VERDICT_WAIT_MAX
from tallystick.proof.reading import read_signed

_LOOK_SECONDS = 0.5


class ComponentFolderError(TallystickError):
    """A component's folder is not what the agreement asks for."""

    code = "component-folder"
    why = "Each component needs a folder of its own name, with every entry that the agreement requires."
    advice = "Add what is missing, or name the components to deposit with `--component`."


class CustodyNotReadyError(TallystickError):
    """There is no custody epoch to seal a component to."""

    code = "custody-not-ready"
    why = "A component is sealed to its live custody epoch, and the gate has not dealt one yet."
    advice = "Wait a little and repeat the command; `tallystick custody status` shows the epochs."
    retryable = True


class UnexpectedCustodyError(TallystickError):
    """The server showed a custody epoch that is not one of this component's."""

    code = "unexpected-custody"
    why = "A component is sealed only to a key that the agreement's gate has dealt for it."
    advice = (
        "Nothing was sealed or sent. Ask again; if it happens again, the server or its storage was altered."
    )


class VerdictPendingError(TallystickError):
    """A deposit that was not verified in time."""

    code = "verdict-pending"
    why = "The deposit is on record, but not all of its copies have been read again yet."
    advice = "Ask later with `tallystick deposit verify AGREEMENT N`. You need not send anything again."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEpoch:
    """A live custody epoch whose signature was verified."""

    digest: Digest
    custody: Custody


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """Seals components of one deposit into files of a scratch folder; no plaintext is written there."""

    scratch: Path
    agreement: Agreement
    number: int

    def file(self, component: ComponentId) -> Path:
        """Return the file of a sealed component."""
        return self.scratch / f"{component}.age"

    def seal(self, component: ComponentId, folder: Path, epoch: LiveEpoch, day: date) -> DepositedComponent:
        """Bag, archive, seal and hash a component's folder in one pass.

        Raises:
            TallystickError: The folder has something that a bag can't have.
        """
        with self.file(component).open("xb") as out:
            writer = SealingWriter(out, [parse_recipient(epoch.custody.recipient)])
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
            custody=epoch.digest,
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=bag.manifest_digest,
            files=bag.files,
            payload_bytes=bag.payload_bytes,
        )


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
        yield f"left out, as the agreement has no such component: {', '.join(others)}"


def custody_epochs(
    desk: Desk, view: JsonObject, agreement: Agreement, wanted: Sequence[ComponentId]
) -> Mapping[ComponentId, LiveEpoch]:
    """Return the live custody epoch of each component, as the gate signed it; wait a little for the gate.

    Raises:
        CustodyNotReadyError: The gate has not dealt them in time.
        UnexpectedCustodyError: Not an epoch of that component that the gate dealt.
    """
    give_up = time.monotonic() + CUSTODY_WAIT_MAX.total_seconds()
    while missing := set(wanted) - {text(live, "component") for live in objects(view, "custody")}:
        if time.monotonic() > give_up:
            raise CustodyNotReadyError("no live custody epoch", components=sorted(missing))
        time.sleep(_LOOK_SECONDS)
        view = desk.agreement_view(agreement.id)
    live = {text(live, "component"): live for live in objects(view, "custody")}
    return {
        component: custody_epoch(desk, agreement, component, digest_in(live[component], "custody"))
        for component in wanted
    }


def custody_epoch(desk: Desk, agreement: Agreement, component: ComponentId, statement: Digest) -> LiveEpoch:
    """Return an epoch of a component as the gate signed it; the server's word does not prove whose key it is.

    Raises:
        UnexpectedCustodyError: Not an epoch of this component that the gate dealt.
        TallystickError: The server does not show the statement, or its signature is wrong.
    """
    signed = expect(read_signed(ledger_entry(desk.client, agreement.id, statement), agreement), Custody)
    if (fault := custody_fault(agreement, signed, component)) is not None:
        raise UnexpectedCustodyError(fault, component=component, statement=signed.id)
    return LiveEpoch(digest=signed.id, custody=signed.body)


def wait_for_verdict(desk: Desk, agreement: AgreementId, number: int) -> JsonObject:
    """Return the outcome of a deposit's verification, once there is one.

    Raises:
        VerdictPendingError: There is none in time.
    """
    give_up = time.monotonic() + VERDICT_WAIT_MAX.total_seconds()
    while True:
        verdict = member(desk.client.get(f"/v1/agreements/{agreement}/deposits/{number}"), "verdict")
        if text(verdict, "state") != "pending":
            return verdict
        if time.monotonic() > give_up:
            raise VerdictPendingError("no verdict yet", number=number)
        time.sleep(_LOOK_SECONDS)


class DepositChainBrokenError(TallystickError):
    """Deposits do not follow one another."""

    code = "deposit-chain-broken"
    why = "Each deposit names the one before it and is signed by the depositor."
    advice = "Ask again; if it happens again, the server or its storage was altered: tell the parties."


def read_deposit(view: JsonObject, agreement: Agreement) -> tuple[Digest, Deposit]:
    """Return a deposit and its digest, after verifying the depositor's signature.

    Raises:
        DepositChainBrokenError: The depositor did not sign it, or the answer names another.
        TallystickError: The envelope is not sound.
    """
    signed = expect(read_signed(envelope_in(view, "envelope"), agreement), Deposit)
    if (fault := deposit_fault(agreement, signed)) is not None:
        raise DepositChainBrokenError(fault, statement=signed.id)
    if (signed.id, signed.body.number) != (digest_in(view, "deposit"), number(view, "number")):
        raise DepositChainBrokenError(
            "the envelope is not of the deposit that the answer names", statement=signed.id
        )
    return signed.id, signed.body


def deposit_chain(desk: Desk, agreement: Agreement) -> list[tuple[Digest, Deposit]]:
    """Return every deposit, each verified and following the one before."""
    answer = desk.client.get(f"/v1/agreements/{agreement.id}/deposits")
    chain = sorted(
        (read_deposit(d, agreement) for d in objects(answer, "deposits")), key=lambda d: d[1].number
    )
    for last, (_, body) in zip((None, *chain), chain, strict=False):
        if (fault := chain_fault(body, last)) is not None:
            raise DepositChainBrokenError(fault, number=body.number)
    return chain
