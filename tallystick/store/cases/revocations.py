"""Which keys were revoked under an agreement, by its own rules or a later version."""

from collections.abc import Sequence

from sqlmodel import Session

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.ids import AgreementId, Digest, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry
from tallystick.store.cases.casefile import verified_with_terms
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.agreements import RegisteredAgreement


class RevocationsUnreadableError(LedgerCorruptError):
    """An agreement of which nobody can say whose keys were revoked."""

    code = "revocations-unreadable"
    why = "The record of revoked keys is damaged, and a key that was revoked must not pass for a good one."
    advice = (
        "Tell the deployment's operators: they compare the database with a backup. Nothing is released now."
    )


def revocations(session: Session, agreement_id: AgreementId, agreement: Agreement) -> Sequence[Entry]:
    """Return the key revocations under an agreement that concern this version's keys."""
    revoking = ledger.entries(session, agreement_id, kinds=[Kind.KEY_REVOCATION])
    if not revoking:
        return ()
    places = agreements.places(session, agreement_id)
    (own,) = (place for place in places if place.version == agreement.version)
    later = ledger.entries(session, agreement_id, kinds=[Kind.AGREEMENT], after=own.index)
    raw = sorted([*revoking, *later], key=lambda entry: entry.index)
    _, entries = verified_with_terms(raw, Terms(agreement=agreement, digest=own.digest))
    return entries


def keys_revoked(session: Session, agreement_id: AgreementId, agreement: Agreement) -> frozenset[PublicKey]:
    """Return the keys that are revoked by the rules of this version."""
    bodies = (entry.signed.body for entry in revocations(session, agreement_id, agreement))
    return frozenset(body.key for body in bodies if isinstance(body, KeyRevocation))


def revoked_keys(session: Session, agreement_id: AgreementId) -> frozenset[PublicKey]:
    """Return the keys that are revoked, each by the rules of the newest version that lists it.

    Raises:
        TallystickError: A stored version or entry was altered.
    """
    if not ledger.entries(session, agreement_id, kinds=[Kind.KEY_REVOCATION], limit=1):
        return frozenset()
    gone, known = set[PublicKey](), set[PublicKey]()
    for version in reversed(agreements.versions(session, agreement_id)):
        agreement = version.signed().agreement
        listed = {person.signing_key for person in agreement.persons} - known
        if listed:  # most versions list no key that a newer one leaves out
            gone |= listed & keys_revoked(session, agreement_id, agreement)
        known |= listed
    return frozenset(gone)


def is_revoked(session: Session, agreement_id: AgreementId, key: PublicKey, newest: Digest) -> bool:
    """Return whether a key is revoked, as `revoked_keys` says, without a look at older versions.

    Args:
        newest: The digest of the newest version that lists the key.

    Raises:
        TallystickError: That version, or an entry, was altered.
    """
    listing = agreements.by_digest(session, newest)
    assert listing is not None, "a key is listed by a version on record"
    return key in keys_revoked(session, agreement_id, listing.signed().agreement)


def later_versions(session: Session, registered: RegisteredAgreement) -> Sequence[Agreement]:
    """Return the versions of an agreement that came after `registered`."""
    later = agreements.versions(session, registered.agreement_id, after=registered.version)
    return [version.signed().agreement for version in later]
