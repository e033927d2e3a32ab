"""Verifying a deposit: every copy of every sealed file, byte for byte as the depositor signed it."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from activities.heartbeats import beating, heartbeat
from activities.places import Places, ReadingBusyError
from tallystick.crypto.age import HybridRecipient, MalformedHeaderError, sealed_to
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PublicKey, digest, name
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.faults import crossing
from tallystick.limits.processes import BLOB_STEPS_EACH_MAX
from tallystick.limits.sealing import AGE_HEADER_BYTES_MAX
from tallystick.messages import DepositVerdict, VerifyDeposit
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.blobs.store import ReplicaState, ReplicaVerdict, check_everywhere, check_readable
from tallystick.store.database.session import reading
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.custody import epoch_of


class NoSuchDepositError(TallystickError):
    """There is no such deposit under this agreement."""

    code = "no-such-deposit"
    why = "No deposit on record under this agreement has this digest or number."
    advice = "List the deposits (`tallystick deposit list`)."


@dataclass(frozen=True, kw_only=True)
class BlobActivities:
    """Activities about stored bytes; they hold no key.

    Attributes:
        places: How many deposits of one agreement, or by one depositor's key, are read at a time.
    """

    database: Engine
    blobs: ReplicatedBlobs
    tell: Callable[[str], None] = heartbeat
    places: Places = field(default_factory=lambda: Places(BLOB_STEPS_EACH_MAX, ReadingBusyError))

    @activity.defn
    def verify_deposit(self, ask: VerifyDeposit) -> DepositVerdict:
        """Read every copy of a deposit's sealed files, and replace bad copies from good ones.

        Raises:
            ApplicationError: No such deposit is on record; or a store is away or has no copy yet, or earlier
                deposits are being read, which says nothing about the deposit, so Temporal tries again.
        """
        agreement_id = AgreementId(name(ask.agreement))
        with crossing(), beating():
            self.blobs.check_ready()
            deposited = self._deposited(agreement_id, digest(ask.deposit))
            with self.places.place(agreement_id, deposited.depositor):
                found = [self._verify(component) for component in deposited.body.components]
                found += [self._verify_shares(*dealt) for dealt in deposited.shares.items()]
        because = tuple(line for _, lines in found for line in lines)
        return DepositVerdict(verified=not any(lost for lost, _ in found), because=because)

    def _deposited(self, agreement_id: AgreementId, wanted: Digest) -> "_Deposited":
        with reading(self.database) as session:
            stored = deposits.by_digest(session, agreement_id, wanted)
            if stored is None:
                raise NoSuchDepositError("no such deposit", deposit=wanted)
            body = stored.body()
            version = agreements.by_digest(session, body.agreement_digest)
            assert version is not None, "a deposit on record is under a version on record"
            return _Deposited(
                body=body,
                depositor=version.signed().agreement.person(body.person).signing_key,
                shares={
                    one.component: _shares(session, agreement_id, one.custody) for one in body.components
                },
            )

    def _verify(self, component: DepositedComponent) -> tuple[bool, list[str]]:
        """Return whether the component differs from what was signed, and a line for each bad copy."""
        self.tell(f"reading {component.component}")
        try:
            verdicts = self.blobs.repair(component.sealed_digest, component.sealed_bytes)
        except NoGoodReplicaError as error:
            check_readable(error.verdicts)
            return True, list(_lines(component.component, error.verdicts))
        check_everywhere(verdicts)
        lines = list(_lines(component.component, verdicts))
        if (fault := self._header_fault(component)) is not None:
            return True, [*lines, f"{component.component}: {fault}"]
        return False, lines

    def _verify_shares(self, component: ComponentId, shares: Sequence[Digest]) -> tuple[bool, list[str]]:
        """Return whether a share of the component's key is lost, without which nobody opens it, and lines."""
        lost, lines = False, list[str]()
        for share in shares:
            try:
                verdicts = self.blobs.repair(share)
            except NoGoodReplicaError as error:
                check_readable(error.verdicts)
                lost, verdicts = True, error.verdicts
            else:
                check_everywhere(verdicts)
            lines += _lines(f"{component}, a share of its key", verdicts)
        return lost, lines

    def _header_fault(self, component: DepositedComponent) -> str | None:
        """Return why the file is not sealed to one post-quantum recipient alone; None if it is."""
        length = min(component.sealed_bytes, AGE_HEADER_BYTES_MAX)
        start = b"".join(self.blobs.open_verified(component.sealed_digest, length=length).chunks)
        try:
            kinds = sealed_to(io.BytesIO(start))
        except MalformedHeaderError as error:
            return f"not an age file: {error.message}"
        wanted = HybridRecipient.STANZA
        return None if kinds == (wanted,) else f"sealed to {', '.join(kinds)}, not {wanted} alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deposited:
    """A deposit, the key of the person who made it, and the shares of each component's key."""

    body: Deposit
    depositor: PublicKey
    shares: Mapping[ComponentId, Sequence[Digest]]


def _shares(session: Session, agreement_id: AgreementId, custody: Digest) -> Sequence[Digest]:
    epoch = epoch_of(session, agreement_id, custody)
    return [share.sealed_digest for share in epoch.body.shares] if epoch is not None else []


def _lines(what: str, verdicts: tuple[ReplicaVerdict, ...]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.state is not ReplicaState.GOOD:
            yield f"{what}: {verdict.words}"
