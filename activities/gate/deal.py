"""Dealing custody epochs to the gate: each once, whatever is repeated or stopped half-way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from activities.gate.gate import check_gate, latest_version, note_blob
from tallystick.crypto import age
from tallystick.crypto.custody.gate import CustodyEpoch, DealtEpoch, deal_epoch
from tallystick.crypto.envelope import Envelope, new_nonce, sign
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.deposit.recording import CustodyRefusedError, check_custody
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PublicKey, gate_person, sha256_digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody, SealedShare
from tallystick.domain.statements.signed import expect, write_body
from tallystick.proof.reading import SignedAgreement, read_signed
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers.custody import RecordedEpoch, find_epoch, latest_epochs, missing_epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """Deals epochs of `custody: gate`.

    Attributes:
        keys: The gate's: the decision key and the identity that its shares are sealed to.
        root_keys: The escrow agent's keys, from the gate's own settings.
        clock: The gate's own.
        tell: Called with each step that is done; a crash between any two is harmless.
    """

    database: Engine
    blobs: ReplicatedBlobs
    keys: PrivateKeys = field(repr=False)
    root_keys: frozenset[PublicKey]
    clock: Callable[[], datetime]
    tell: Callable[[str], None]

    def deal(self, agreement_id: AgreementId, component: ComponentId, number: int) -> Digest:
        """Return the custody statement of an epoch, dealt now unless it was dealt before.

        Raises:
            CustodyRefusedError: The component has a live epoch, or this is not its next.
            NotThisGateError: The agreement does not pin this gate.
            NoSuchAgreementError: No such agreement is registered.
            TallystickError: The storage or the database failed.
        """
        with reading(self.database) as session:
            if (present := find_epoch(session, agreement_id, component, number)) is not None:
                return present.digest
            signed = latest_version(session, agreement_id)
            check_gate(signed, self.keys, self.root_keys)
            self._check_wanted(session, signed.agreement, component, number)
        epoch = CustodyEpoch(
            deployment=signed.agreement.deployment, agreement=agreement_id, component=component, number=number
        )
        dealt = deal_epoch(epoch, age.parse_recipient(signed.agreement.engine.gate_recipient))
        share = sha256_digest(dealt.sealed_share)
        self.tell("share dealt")
        stored = self.blobs.put(share, len(dealt.sealed_share), lambda: [dealt.sealed_share])
        self.tell("share stored")
        statement = self._statement(signed, epoch, dealt)
        return self._record(signed, epoch, statement, dealt, everywhere=stored.everywhere)

    def _check_wanted(
        self, session: Session, agreement: Agreement, component: ComponentId, number: int
    ) -> None:
        agreement.component(component)
        if (component, number) not in missing_epochs(session, agreement.id, agreement):
            raise CustodyRefusedError("this epoch must not be dealt now", component=component, epoch=number)

    def _statement(self, signed: SignedAgreement, epoch: CustodyEpoch, dealt: DealtEpoch) -> Envelope:
        body = Custody(
            **signed.terms.header(gate_person(epoch.deployment), self.clock(), new_nonce()),
            component=epoch.component,
            epoch=epoch.number,
            recipient=dealt.recipient,
            commitments=dealt.commitments,
            shares=(SealedShare(leaf=GATE_LEAF, sealed_digest=sha256_digest(dealt.sealed_share)),),
        )
        return sign(Kind.CUSTODY, write_body(body), [self.keys.signing_key])

    def _record(
        self,
        signed: SignedAgreement,
        epoch: CustodyEpoch,
        envelope: Envelope,
        dealt: DealtEpoch,
        *,
        everywhere: bool,
    ) -> Digest:
        with transaction(self.database) as session:
            present = find_epoch(session, epoch.agreement, epoch.component, epoch.number)
            if present is not None:  # another run of this activity was first: its epoch counts
                return present.digest
            last = _body(latest_epochs(session, epoch.agreement).get(epoch.component))
            statement = expect(read_signed(envelope, signed.agreement), Custody)
            check_custody(signed.agreement, signed.terms.digest, statement, last=last)
            entry = ledger.append(session, epoch.agreement, envelope, self.clock(), claim=None)
            note_blob(
                session,
                epoch.agreement,
                dealt.sealed_share,
                BlobPurpose.CUSTODY_SHARE,
                self.keys,
                everywhere=everywhere,
            )
        self.tell("epoch recorded")
        return entry.statement_id


def _body(epoch: RecordedEpoch | None) -> Custody | None:
    return None if epoch is None else epoch.body
