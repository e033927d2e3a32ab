"""What deciding and dealing both need: whether this gate is the one that the agreement names."""

from sqlmodel import Session

from tallystick.crypto import age
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, PublicKey, sha256_digest
from tallystick.proof.reading import SignedAgreement
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, record_blob
from tallystick.store.database.session import database_now
from tallystick.store.registers import agreements
from tallystick.store.registers.agreements import NoSuchAgreementError


class NotThisGateError(TallystickError):
    """An agreement that pins another gate, or that no root key of this deployment has signed."""

    code = "not-this-gate"
    why = "A gate acts only under agreements that pin its own keys and that a root key has signed."
    advice = (
        "Compare the agreement's `engine` with the gate's keys, and the gate's root keys with the signers."
    )


def latest_version(session: Session, agreement_id: AgreementId) -> SignedAgreement:
    """Return the newest version of an agreement, its signatures verified.

    Raises:
        NoSuchAgreementError: None is registered.
        TallystickError: Its stored bytes were altered.
    """
    registered = agreements.latest(session, agreement_id)
    if registered is None:
        raise NoSuchAgreementError("no such agreement", agreement=agreement_id)
    return registered.signed()


def check_gate(signed: SignedAgreement, keys: PrivateKeys, root_keys: frozenset[PublicKey]) -> None:
    """Refuse to act under an agreement that pins another gate, or that the escrow agent never signed.

    Raises:
        NotThisGateError: Other keys, or no root key among the signers.
    """
    engine = signed.agreement.engine
    own = str(age.parse_identity(keys.age_identity).recipient())
    if (engine.decision_key, engine.gate_recipient) != (keys.signing_key.public_key, own):
        raise NotThisGateError("the agreement pins another gate", agreement=signed.agreement.id)
    if (fault := root_fault(signed.signers, root_keys)) is not None:
        raise NotThisGateError(fault, agreement=signed.agreement.id)


def note_blob(
    session: Session,
    agreement_id: AgreementId,
    data: bytes,
    purpose: BlobPurpose,
    keys: PrivateKeys,
    *,
    everywhere: bool,
) -> None:
    """Note that an agreement has a blob that the gate made, so that it is copied and scrubbed like others.

    Args:
        everywhere: Whether every store has it.
    """
    record_blob(
        session,
        StoredBlob(
            digest=sha256_digest(data),
            size_bytes=len(data),
            agreement_id=agreement_id,
            uploaded_by=key_id(keys.signing_key.public_key),
            party=GATE_LEAF,
            purpose=purpose,
            arrived_at=database_now(session),
        ),
        everywhere=everywhere,
    )
