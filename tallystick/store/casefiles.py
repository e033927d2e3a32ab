"""A claim's case file: its raw record, verified and folded anew on each reading.

The gate, the API's read side and the evidence export all read a claim here, so
there is no second way from rows to a claim.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlmodel import Session

from tallystick.crypto import records
from tallystick.crypto.reading import SignedAgreement, read_agreement
from tallystick.crypto.records import Recorded
from tallystick.crypto.statement import Envelope, body_of, parse_envelope
from tallystick.domain.agreement import Agreement
from tallystick.domain.claim import Claim
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.filing import Terms, fold
from tallystick.domain.ids import AgreementId, Digest, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements import Entry, KeyRevocation
from tallystick.limits import AGREEMENT_SIZE_BYTES_MAX
from tallystick.store import agreements, claims, ledger
from tallystick.store.agreements import RegisteredAgreement
from tallystick.store.ledger import LedgerEntry


class NoSuchClaimError(TallystickError):
    """There is no such claim, or it is none of yours."""

    code = "no-such-claim"
    why = "No claim on record has this digest or short form, or its agreement does not name you."
    advice = "List the claims you may see (`tallystick claim list`)."


class NoSuchAgreementError(TallystickError):
    """There is no such agreement, or it is none of yours."""

    code = "no-such-agreement"
    why = "No registered agreement has this id or digest, or it does not name you."
    advice = "Register the agreement, or ask a party to it for its id."


class ClaimMovedOnError(TallystickError):
    """Something else about the claim was recorded first."""

    code = "claim-moved-on"
    why = "A statement is admitted against the record as it stands; the record has grown since."
    advice = "Read the claim again and repeat the request."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A claim with everything it stands on.

    Attributes:
        agreement_envelope: The bytes that were verified to get `signed`.
        raw: The ledger entries that `claim` was folded from, filing first.
    """

    agreement_envelope: bytes
    signed: SignedAgreement
    raw: tuple[LedgerEntry, ...]
    claim: Claim

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.signed.agreement


def load(session: Session, claim: Digest) -> CaseFile:
    """Return the case file of `claim`: every signature verified, every entry admitted again.

    Raises:
        NoSuchClaimError: No such claim was filed.
        TallystickError: The record holds what may not be in it.
    """
    stored = claims.by_digest(session, claim)
    if stored is None:
        raise NoSuchClaimError("no such claim", claim=claim)
    filing = stored.filing()
    registered = agreements.by_digest(session, filing.agreement_digest)
    if registered is None:
        raise NoSuchAgreementError("the claim's agreement is not registered", digest=filing.agreement_digest)
    signed = read_agreement(agreement_envelope(registered.envelope))
    raw = tuple(record(session, stored.agreement_id, claim))
    terms, entries = verified(raw, signed.terms)
    return CaseFile(
        agreement_envelope=registered.envelope,
        signed=replace(signed, terms=terms),
        raw=raw,
        claim=fold(terms, entries),
    )


def record(
    session: Session, agreement_id: AgreementId, claim: Digest, *, after: int | None = None
) -> list[LedgerEntry]:
    """Return what makes a claim: its entries, the agreement's revocations and later versions; filing first.

    By a later version's rules, too, a key may be revoked that the claim's version lists.

    Args:
        after: Only what was recorded after this place.
    """
    # Never all that concerns the agreement: whoever deposits could make every claim slow to read.
    own = ledger.entries(session, agreement_id, claim=claim, after=after)
    wide = _agreement_wide(session, agreement_id, after)
    if own and own[0].kind == Kind.CLAIM:
        wide = _without_earlier_versions(wide, own[0])
    # Revocations from before the filing belong to the claim too; it still begins with its filing.
    return sorted([*own, *wide], key=lambda entry: (entry.kind != Kind.CLAIM, entry.index))


def _agreement_wide(session: Session, agreement_id: AgreementId, after: int | None) -> list[LedgerEntry]:
    kinds = [Kind.KEY_REVOCATION, Kind.AGREEMENT]
    places = ledger.places(session, agreement_id, kinds=kinds, after=after)
    # Hardly any agreement has more than its one version, whose bytes are many.
    if not places or (after is None and [kind for _, kind in places] == [Kind.AGREEMENT]):
        return []
    return ledger.entries(session, agreement_id, kinds=kinds, after=after)


def verified(raw: Iterable[LedgerEntry], terms: Terms) -> tuple[Terms, Sequence[Entry]]:
    """Return `terms` with the later versions among `raw`, and the other entries, verified.

    Revocations that change nothing are left out.

    Raises:
        TallystickError: An entry about a claim is not what it must be.
    """
    recorded = [_recorded(entry) for entry in raw]
    known = records.with_successors(terms, recorded)
    return known, records.verified(recorded, known)


def grown(case: CaseFile, newer: tuple[LedgerEntry, ...]) -> CaseFile:
    """Return the case file with what was recorded after it, in ledger order.

    Raises:
        TallystickError: An entry about the claim is not what it must be.
    """
    terms, claim = records.grown(case.signed.terms, case.claim, map(_recorded, newer))
    return replace(case, signed=replace(case.signed, terms=terms), raw=(*case.raw, *newer), claim=claim)


def _recorded(entry: LedgerEntry) -> Recorded:
    return Recorded(index=entry.index, accepted_at=entry.accepted_at, envelope=entry.statement())


def check_head(session: Session, agreement_id: AgreementId, claim: Digest, *, after: int) -> None:
    """Refuse to go on if anything about the claim was recorded after `after`.

    Raises:
        ClaimMovedOnError: Something was.
    """
    newer = record(session, agreement_id, claim, after=after)
    if newer:
        raise ClaimMovedOnError("something was recorded first", index=newer[-1].index, known=after)


def agreement_envelope(data: bytes) -> Envelope:
    """Return a stored agreement's envelope, parsed within an agreement's bounds.

    Raises:
        MalformedError: The stored bytes were altered.
    """
    return parse_envelope(data, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)


def revocations(session: Session, agreement_id: AgreementId, agreement: Agreement) -> Sequence[Entry]:
    """Return the key revocations under an agreement that concern this version's keys."""
    if not ledger.entries(session, agreement_id, kinds=[Kind.KEY_REVOCATION], limit=1):
        return ()
    raw = ledger.entries(session, agreement_id, kinds=[Kind.KEY_REVOCATION, Kind.AGREEMENT])
    (digest,) = (
        v.digest for v in agreements.versions(session, agreement_id) if v.version == agreement.version
    )
    _, entries = verified(raw, Terms(agreement=agreement, digest=digest))
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
        agreement = read_agreement(agreement_envelope(version.envelope)).agreement
        listed = {person.signing_key for person in agreement.persons} - known
        gone |= listed & keys_revoked(session, agreement_id, agreement)
        known |= listed
    return frozenset(gone)


def _without_earlier_versions(wide: Iterable[LedgerEntry], filing: LedgerEntry) -> list[LedgerEntry]:
    """Leave out the version that a claim pins, and those before it: a claim is read with its own at hand."""
    found, after = list(wide), -1
    with suppress(MalformedError):  # of a damaged filing, nothing is told here; it is when the claim is read
        pinned = body_of(filing.statement()).get("agreement_digest")
        after = max((entry.index for entry in found if entry.statement_id == pinned), default=-1)
    return [entry for entry in found if entry.kind != Kind.AGREEMENT or entry.index > after]


def later_versions(session: Session, registered: RegisteredAgreement) -> Sequence[Agreement]:
    """Return the versions of an agreement that came after `registered`."""
    return [
        read_agreement(agreement_envelope(version.envelope)).agreement
        for version in agreements.versions(session, registered.agreement_id)
        if version.version > registered.version
    ]
