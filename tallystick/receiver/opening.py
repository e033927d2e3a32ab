"""From sealed components to a complete version folder, checked against the depositor's signature.

1. The sealed file has the digest and size that the depositor signed, on this very read.
2. The shares were sealed for this claim, and fit the custody statement's commitments.
3. The identity that they make is the custody epoch's, and no other.
4. The bag is whole, and has the manifest that the depositor signed.
Plaintext is written only below the receiver's own folder, and is deleted if anything fails.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tallystick.bag.paths import BagPathRefusedError
from tallystick.bag.tar import TarRefusedError
from tallystick.bag.tree import TREE_FILE, TreeRefusedError
from tallystick.bag.unpack import BagInvalidError, unpack_bag
from tallystick.bag.write import BagSummary
from tallystick.crypto import age
from tallystick.crypto.custody.gate import contributed_identity
from tallystick.crypto.envelope import Envelope
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, as_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.durable import make_private
from tallystick.receiver.delivery import DeliveryRefusedError, OfferedComponent, VerifiedDelivery
from tallystick.regular import open_regular

_OPENED: Final = "opened"
_DEFECTS: Final = (age.AgeError, BagInvalidError, BagPathRefusedError, TarRefusedError, TreeRefusedError)
_Outcome = age.Sealed | age.AgeError | OSError


class DepositDefectiveError(TallystickError):
    """The depositor signed a component that does not open, or is not the bag that it says it is."""

    code = "deposit-defective"
    why = "The sealed bytes are those that the depositor signed, but their content is not."
    advice = (
        "The receipt reports the stage as failed. Ask the depositor for a new deposit, and claim that one."
    )


class Escrow(Protocol):
    """The server, as far as a receiver needs it."""

    def delivery(self, claim: str) -> JsonObject:
        """Return the delivery document of a claim."""
        ...

    def record(self, claim: str) -> Iterable[JsonObject]:
        """Return the entries of a claim's record, as they come: a long record is never held as JSON."""
        ...

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        """Fetch a blob into a file, resuming where an earlier fetch stopped; its digest is checked."""
        ...

    def fetch_small(self, wanted: Digest) -> bytes:
        """Return a small blob; its digest is checked."""
        ...

    def report(self, claim: Digest, receipt: Envelope) -> None:
        """Send a receipt; when this returns, it is on record."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Opens what is offered, in the folder `work`.

    Attributes:
        token: This receiver's own: one that was overtaken must not write into what another one opens.
    """

    escrow: Escrow
    keys: PrivateKeys
    work: Path
    token: str

    def open_components(
        self, components: Iterable[OfferedComponent], delivery: VerifiedDelivery
    ) -> tuple[Path, tuple[ReceivedComponent, ...]]:
        """Return a new folder with a bag for each component, and the digests of what was received.

        Raises:
            DepositDefectiveError: The deposit has a defect that is the depositor's.
            TallystickError: What the server sent is not what was signed; nothing of it is kept.
        """
        opened = self.work / f"{_OPENED}.{self.token}"
        shutil.rmtree(opened, ignore_errors=True)
        make_private(opened)
        try:
            received = [self._open(component, delivery, opened) for component in components]
        except BaseException:
            shutil.rmtree(opened, ignore_errors=True)
            raise
        return opened, tuple(received)

    def forget(self) -> None:
        """Delete the sealed files, and anything that a crash has left."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _open(self, offered: OfferedComponent, delivery: VerifiedDelivery, opened: Path) -> ReceivedComponent:
        deposited = offered.deposited
        identity = self._identity(offered, delivery)
        sealed = self.work / f"{deposited.component}.age"
        if not sealed.exists():
            self.escrow.fetch(deposited.sealed_digest, sealed, size_bytes=deposited.sealed_bytes)
        try:
            read, bag = _unpacked(sealed, identity, opened / deposited.component, deposited)
        except _DEFECTS as error:
            _check_sealed(sealed, deposited)
            raise DepositDefectiveError(
                error.message, component=deposited.component, reason=error.code
            ) from error
        if (read.digest, read.size_bytes) != (deposited.sealed_digest, deposited.sealed_bytes):
            sealed.unlink()
            raise _other_file(deposited)
        _check_bag(bag, deposited)
        _check_tree(opened / deposited.component, delivery.deposit)
        return ReceivedComponent(
            component=deposited.component, sealed_digest=read.digest, manifest_digest=bag.manifest_digest
        )

    def _identity(self, offered: OfferedComponent, delivery: VerifiedDelivery) -> age.HybridIdentity:
        """Return the custody epoch's identity, recombined from what was sealed to this claim."""
        own = age.parse_identity(self.keys.age_identity)
        sealed = {leaf: self.escrow.fetch_small(digest) for leaf, digest in offered.contributions.items()}
        return contributed_identity(offered.custody, sealed, claim=delivery.claim, identity=own)


def forget_half_opened(folder: Path) -> None:
    """Delete the plaintext that a crash has left in the work folders in `folder`; sealed files stay."""
    for left in folder.glob(f"*/{_OPENED}*"):
        shutil.rmtree(left)


def _unpacked(
    sealed: Path, identity: age.HybridIdentity, into: Path, deposited: DepositedComponent
) -> tuple[age.Sealed, BagSummary]:
    """Open and unpack in one pass; delete a bag that unpacked although the seal's last chunk fails."""
    reading, writing = os.pipe()
    outcome: list[_Outcome] = []
    opener = threading.Thread(target=_open_into, args=(sealed, identity, writing, outcome), daemon=True)
    with os.fdopen(reading, "rb") as plain:
        opener.start()
        try:
            bag = unpack_bag(
                plain, into, files_max=deposited.files, payload_bytes_max=deposited.payload_bytes
            )
        except TallystickError:
            plain.close()  # lets the opener end; its own failure is the better reason
            opener.join()
            if outcome and not isinstance(outcome[0], age.Sealed):
                raise outcome[0] from None
            raise
    opener.join()
    (result,) = outcome
    if not isinstance(result, age.Sealed):
        shutil.rmtree(into)
        raise result
    return result, bag


def _open_into(sealed: Path, identity: age.HybridIdentity, writing: int, outcome: list[_Outcome]) -> None:
    try:
        with os.fdopen(writing, "wb") as out, open_regular(sealed, follow=False) as source:
            outcome.append(age.open_sealed(source, out, [identity]))
    except BrokenPipeError:
        return  # the bag was refused; the reader of this pipe says why
    except (age.AgeError, OSError) as error:
        outcome.append(error)  # the thread that waits for this one raises it


def _check_sealed(sealed: Path, deposited: DepositedComponent) -> None:
    """Tell the depositor's defect from bytes that changed on this disk since they were fetched."""
    with open_regular(sealed, follow=False) as source:
        digest = as_digest(hashlib.file_digest(source, "sha256").digest())
    if digest != deposited.sealed_digest:
        sealed.unlink()
        raise _other_file(deposited)


def _other_file(deposited: DepositedComponent) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        "the sealed file is not the one that the depositor signed", component=deposited.component
    )


def _check_bag(bag: BagSummary, deposited: DepositedComponent) -> None:
    unpacked = (bag.manifest_digest, bag.files, bag.payload_bytes)
    if unpacked != (deposited.manifest_digest, deposited.files, deposited.payload_bytes):
        raise DepositDefectiveError(
            "the sealed file does not contain the bag that the depositor signed",
            component=deposited.component,
        )


def _check_tree(bag: Path, deposit: Deposit) -> None:
    """Refuse a bag without the names, links, modes and times that the depositor says it has."""
    if deposit.tree is not None and not (bag / TREE_FILE).exists():
        raise DepositDefectiveError("the bag has no tree file", component=bag.name, tree=deposit.tree)
