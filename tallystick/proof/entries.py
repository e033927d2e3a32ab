"""From the raw entries of a claim's record to verified ones, in one way for everyone who folds a claim.

The workflow, the gate, the API's read side and the offline verifier all start from raw
envelopes, and leave out what this module leaves out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from tallystick.crypto.envelope import Envelope, body_of, kind_of, statement_id
from tallystick.domain.admission.revocations import check_revoked_here
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.agreement.versions import check_predecessors, with_longest_calendars
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Body, Entry, Signed, expect
from tallystick.proof.reading import SignedAgreement, kind_read, read_agreement, read_signed

Reader: TypeAlias = Callable[[Envelope, Agreement], Signed[Body]]
"""What makes a verified statement of an envelope, by the keys of an agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStatement:
    """A statement as the ledger has it; nothing is verified yet."""

    index: int
    accepted_at: datetime
    envelope: Envelope


def filing_first(kind: str, index: int) -> tuple[bool, int]:
    """Return the key by which a claim's record is sorted: its filing, then the rest in ledger order.

    Revocations from before the filing belong to the record too, which still begins with the filing.
    """
    return kind != Kind.CLAIM, index


def with_successors(terms: Terms, raw: Iterable[RecordedStatement]) -> Terms:
    """Return `terms` with the later versions that `raw` holds, each signed by all parties to the one before.

    A version that does not follow, or that a party has not signed, is ignored. The pinned version is counted
    by the longest calendars among those that differ from it in nothing else.
    """
    later = dict(terms.later)
    newest, digest = (terms.agreement, terms.digest) if not later else _last(later)
    for one in raw:
        if kind_of(one.envelope) == Kind.AGREEMENT and _names(one.envelope, digest):
            following = _following(one.envelope, newest)
            if following is not None:
                newest, digest = following.agreement, following.terms.digest
                later[digest] = newest
    lengthened = with_longest_calendars(terms.agreement, later.values())
    return replace(terms, agreement=lengthened, later=later)


def verified(
    raw: Iterable[RecordedStatement],
    terms: Terms,
    *,
    revoked: Iterable[PublicKey] = (),
    read: Reader = read_signed,
) -> Sequence[Entry]:
    """Return the entries with their signatures verified; revocations that change nothing are left out.

    Versions of the agreement are left out too: `with_successors` reads them.

    Args:
        terms: The version that the claim pins, with the later ones that are known.
        revoked: The keys that entries before these have revoked.
        read: What verifies a statement under an agreement, as `read_signed` does.

    Raises:
        TallystickError: An entry about a claim is not what it must be.
    """
    recorded = tuple(raw)
    gone, entries = set(revoked), list[Entry]()
    # A version changes nothing about what was recorded before it, so reading on agrees with reading anew.
    ahead = {statement_id(one.envelope) for one in recorded if kind_of(one.envelope) == Kind.AGREEMENT}
    for one in recorded:
        ahead.discard(statement_id(one.envelope))
        entry = _verified_entry(one, _known_then(terms, ahead), read)
        if entry is None:
            continue
        if isinstance(entry.signed.body, KeyRevocation):
            # A revocation by a revoked key is void, and must not hide a sound one that comes later.
            if {entry.signed.body.key, *entry.signed.signers} & gone:
                continue
            gone.add(entry.signed.body.key)
        entries.append(entry)
    return entries


def _known_then(terms: Terms, ahead: Collection[Digest]) -> Terms:
    if not ahead:
        return terms
    later = {digest: version for digest, version in terms.later.items() if digest not in ahead}
    return replace(terms, later=later)


def _verified_entry(recorded: RecordedStatement, terms: Terms, read: Reader) -> Entry | None:
    signed: Signed[Body] | None
    match kind_read(recorded.envelope):
        case Kind.AGREEMENT:
            return None
        case Kind.KEY_REVOCATION:
            signed = _revocation(recorded.envelope, terms, read)
        case _:
            signed = read(recorded.envelope, terms.agreement)
    if signed is None:
        return None
    return Entry(index=recorded.index, accepted_at=recorded.accepted_at, signed=signed)


def _revocation(envelope: Envelope, terms: Terms, read: Reader) -> Signed[KeyRevocation] | None:
    """Return a revocation that counts under these terms; another version's persons may know other keys."""
    named = body_of(envelope).get("agreement_digest")
    newer = [agreement for digest, agreement in terms.later.items() if digest == named]
    for rules in (terms.agreement, *newer):
        with suppress(TallystickError):
            signed = expect(read(envelope, rules), KeyRevocation)
            check_revoked_here(terms.agreement, signed, terms.later)
            return signed
    return None


def _last(later: Mapping[Digest, Agreement]) -> tuple[Agreement, Digest]:
    digest, agreement = list(later.items())[-1]
    return agreement, digest


def _names(envelope: Envelope, before: Digest) -> bool:
    return body_of(envelope).get("supersedes") == before


def _following(envelope: Envelope, before: Agreement) -> SignedAgreement | None:
    with suppress(TallystickError):
        version = read_agreement(envelope)
        check_predecessors(before, version.signers)
        agreement = version.agreement
        follows = (agreement.id, agreement.deployment, agreement.version)
        if follows == (before.id, before.deployment, before.version + 1):
            return version
    return None
