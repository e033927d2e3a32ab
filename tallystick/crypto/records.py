"""From the raw entries of a claim's record to verified ones, in one way for all who fold a claim.

The workflow, the gate, the API's read side and the offline verifier start from raw
envelopes: what this module leaves out, all of them leave out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.crypto.reading import kind_read, read_signed
from tallystick.crypto.statement import Envelope
from tallystick.domain.admission import check_revocation
from tallystick.domain.agreement import Agreement
from tallystick.domain.authorship import signing_persons
from tallystick.domain.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.filing import Terms, step
from tallystick.domain.ids import PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements import Entry, KeyRevocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A statement as a ledger holds it; nothing is verified yet."""

    index: int
    accepted_at: datetime
    envelope: Envelope


def verified(
    raw: Iterable[Recorded], agreement: Agreement, *, revoked: Iterable[PublicKey] = ()
) -> Sequence[Entry]:
    """Return the entries with their signatures verified; revocations that change nothing are left out.

    Args:
        revoked: The keys that entries before these have revoked.

    Raises:
        TallystickError: An entry about a claim is not what it must be.
    """
    gone, entries = set(revoked), list[Entry]()
    for one in raw:
        entry = verified_entry(one, agreement)
        if entry is None:
            continue
        if isinstance(entry.signed.body, KeyRevocation):
            # One by a revoked key is void, and must not hide a sound one that comes later.
            if {entry.signed.body.key, *entry.signed.signers} & gone:
                continue
            gone.add(entry.signed.body.key)
        entries.append(entry)
    return entries


def grown(terms: Terms, claim: Claim, raw: Iterable[Recorded]) -> Claim:
    """Return a claim with what was recorded after it, in ledger order: the same as folding it all anew.

    Raises:
        TallystickError: An entry about the claim is not what it must be.
    """
    revoked = (body.key for _, body in claim.entries_of(KeyRevocation))
    for entry in verified(raw, terms.agreement, revoked=revoked):
        claim = step(terms, claim, entry)
    return claim


def verified_entry(recorded: Recorded, agreement: Agreement) -> Entry | None:
    """Return one entry, verified; None for a revocation that means nothing under this version.

    Raises:
        TallystickError: An entry about a claim is not what it must be.
    """
    try:
        signed = read_signed(recorded.envelope, agreement)
        if isinstance(signed.body, KeyRevocation):
            check_revocation(agreement, signed.body, signing_persons(agreement, signed))
    except TallystickError:
        # Another version's persons may have revoked a key that this version does not know.
        if kind_read(recorded.envelope) is Kind.KEY_REVOCATION:
            return None
        raise
    return Entry(index=recorded.index, accepted_at=recorded.accepted_at, signed=signed)
