"""Dealing custody epochs to the gate: once each, whatever is repeated or stopped half-way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from tallystick.crypto import age
from tallystick.crypto.canonical import sha256_digest
from tallystick.crypto.gate_custody import GATE_LEAF, DealtEpoch, Epoch, deal_epoch
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import key_id
from tallystick.crypto.reading import SignedAgreement, read_agreement, read_signed
from tallystick.crypto.statement import Envelope, new_nonce, sign
from tallystick.domain.agreement import Agreement
from tallystick.domain.depositing import CustodyRefusedError, check_custody
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PublicKey, gate_person
from tallystick.domain.kinds import Kind
from tallystick.domain.statements import Custody, SealedShare, write_body
from tallystick.store import agreements, ledger
from tallystick.store.casefiles import NoSuchAgreementError, agreement_envelope
from tallystick.store.custody import RecordedEpoch, find_epoch, latest_epochs, missing_epochs
from tallystick.store.replicas import ReplicatedBlobs
from tallystick.store.session import reading, transaction
from tallystick.store.uploads import StoredBlob, record_blob

SHARE_PURPOSE = "custody-share"
"""The purpose under which the gate's own sealed shares are noted; nobody else may fetch them."""


class NotThisGateError(TallystickError):
    """An agreement that pins another gate, or that no root key of this deployment has signed."""

    code = "not-this-gate"
    why = "A gate acts only under agreements that pin its own keys and that a root key has signed."
    advice = (
        "Compare the agreement's `engine` with the gate's keys, and the gate's root keys with the signers."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """Deals epochs of `custody: gate`.

    Attributes:
        keys: The gate's: the decision key and the identity that its shares are sealed to.
        root_keys: The escrow agent's keys, from the gate's own settings.
        clock: The gate's own.
        tell: Told each step that is done; a crash between any two is harmless.
    """

    engine: Engine
    blobs: ReplicatedBlobs
    keys: PrivateKeys = field(repr=False)
    root_keys: frozenset[PublicKey]
    clock: Callable[[], datetime]
    tell: Callable[[str], None]

    def deal(self, agreement_id: AgreementId, component: ComponentId, number: int) -> Digest:
        """Return the custody statement of an epoch, dealt now unless it was dealt before.

        Raises:
            CustodyRefusedError: The component has a live epoch, or this isn't its next.
            NotThisGateError: The agreement doesn't pin this gate.
            NoSuchAgreementError: No such agreement is registered.
            TallystickError: The storage or the database doesn't take it.
        """
        with reading(self.engine) as session:
            if (present := find_epoch(session, agreement_id, component, number)) is not None:
                return present.digest
            signed = latest_version(session, agreement_id)
            check_gate(signed, self.keys, self.root_keys)
            self._check_wanted(session, signed.agreement, component, number)
        epoch = Epoch(
            deployment=signed.agreement.deployment, agreement=agreement_id, component=component, number=number
        )
        dealt = deal_epoch(epoch, age.parse_recipient(signed.agreement.engine.gate_recipient))
        share = sha256_digest(dealt.sealed_share)
        self.tell("share dealt")
        self.blobs.put(share, len(dealt.sealed_share), lambda: [dealt.sealed_share])
        self.tell("share stored")
        return self._record(signed, epoch, self._statement(signed, epoch, dealt), dealt)

    def _check_wanted(
        self, session: Session, agreement: Agreement, component: ComponentId, number: int
    ) -> None:
        agreement.component(component)
        if (component, number) not in missing_epochs(session, agreement.id, agreement):
            raise CustodyRefusedError("no such epoch is to be dealt now", component=component, epoch=number)

    def _statement(self, signed: SignedAgreement, epoch: Epoch, dealt: DealtEpoch) -> Envelope:
        body = Custody(
            deployment=epoch.deployment,
            agreement=epoch.agreement,
            agreement_digest=signed.terms.digest,
            person=gate_person(epoch.deployment),
            issued_at=self.clock(),
            nonce=new_nonce(),
            component=epoch.component,
            epoch=epoch.number,
            recipient=dealt.recipient,
            commitments=dealt.commitments,
            shares=(SealedShare(leaf=GATE_LEAF, sealed_digest=sha256_digest(dealt.sealed_share)),),
        )
        return sign(Kind.CUSTODY, write_body(body), [self.keys.signing_key])

    def _record(self, signed: SignedAgreement, epoch: Epoch, envelope: Envelope, dealt: DealtEpoch) -> Digest:
        with transaction(self.engine) as session:
            present = find_epoch(session, epoch.agreement, epoch.component, epoch.number)
            if present is not None:  # another run of this activity was first: its epoch stands
                return present.digest
            last = _body(latest_epochs(session, epoch.agreement).get(epoch.component))
            statement = read_signed(envelope, signed.agreement)
            check_custody(signed.agreement, signed.terms.digest, statement, last=last)
            entry = ledger.append(session, epoch.agreement, envelope, self.clock(), claim=None)
            note_blob(session, epoch.agreement, dealt.sealed_share, SHARE_PURPOSE, self.keys)
        self.tell("epoch recorded")
        return entry.statement_id


def latest_version(session: Session, agreement_id: AgreementId) -> SignedAgreement:
    """Return the newest version of an agreement, its signatures verified.

    Raises:
        NoSuchAgreementError: None is registered.
        TallystickError: Its bytes aren't what they must be.
    """
    found = agreements.latest(session, agreement_id)
    if found is None:
        raise NoSuchAgreementError("no such agreement", agreement=agreement_id)
    return read_agreement(agreement_envelope(found.envelope))


def check_gate(signed: SignedAgreement, keys: PrivateKeys, root_keys: frozenset[PublicKey]) -> None:
    """Refuse to act under an agreement that pins another gate, or that the escrow agent never signed.

    Raises:
        NotThisGateError: Other keys, or no root key among the signers.
    """
    engine = signed.agreement.engine
    own = str(age.parse_identity(keys.age_identity).recipient())
    if (engine.decision_key, engine.gate_recipient) != (keys.signing_key.public_key, own):
        raise NotThisGateError("the agreement pins another gate", agreement=signed.agreement.id)
    if not signed.signers & root_keys:
        raise NotThisGateError("no root key of this deployment signed it", agreement=signed.agreement.id)


def note_blob(
    session: Session, agreement_id: AgreementId, data: bytes, purpose: str, keys: PrivateKeys
) -> None:
    """Note that an agreement has a blob that the gate made, so that it is scrubbed like all others."""
    record_blob(
        session,
        StoredBlob(
            digest=sha256_digest(data),
            size_bytes=len(data),
            agreement_id=agreement_id,
            uploaded_by=key_id(keys.signing_key.public_key),
            purpose=purpose,
        ),
    )


def _body(epoch: RecordedEpoch | None) -> Custody | None:
    return None if epoch is None else epoch.body
