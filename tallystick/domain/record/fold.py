"""Folding the whole record of a claim: from its filing to where it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.authorship.authors import (
    author,
    check_subject,
)
from tallystick.domain.claim.claim import Claim, filed
from tallystick.domain.claim.evolve import evolve
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.record.filing import check_stages_asked, stages_asked
from tallystick.domain.record.generations import rules_of
from tallystick.domain.refusals import (
    KeyRevokedError,
    MisdirectedError,
)
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of a claim's record, and what it came to.

    Attributes:
        event: As what it counted; None for the filing, with which the claim begins.
        claim: As the entry left it.
    """

    entry: Entry
    event: EventType | None
    claim: Claim


def fold(terms: Terms, entries: Sequence[Entry]) -> Claim:
    """Return the claim that `entries` make: its filing first, then every act and event, in ledger order.

    Every entry is admitted again, at the time the record gives it and by the rules that the
    claim was filed under, so a record that holds what should not be in it does not fold.

    Raises:
        TallystickError: The rule that an entry breaks.
    """
    *_, last = steps(terms, entries)
    return last.claim


def steps(terms: Terms, entries: Sequence[Entry]) -> Iterator[Step]:
    """Yield every step from the filing to where the claim stands, as `fold` takes it.

    Raises:
        TallystickError: The rule that an entry breaks.
    """
    first = entries[0]
    filing = first.signed.body
    if not isinstance(filing, ClaimFiling) or filing.agreement_digest != terms.digest:
        raise MisdirectedError("the record does not begin with a claim under this agreement")
    check_subject(terms.agreement, terms.digest, filing, None)
    author(terms.agreement, first.signed)
    check_stages_asked(terms.agreement, filing)
    _check_order(entries)
    claim = filed(first, stages=stages_asked(terms.agreement, filing), rules=rules_of(filing.generation))
    yield Step(entry=first, event=None, claim=claim)
    for entry in entries[1:]:
        event = _event(terms, claim, entry)
        if event is not None:
            claim = evolve(claim, entry, event)
            yield Step(entry=entry, event=event, claim=claim)


def step(terms: Terms, claim: Claim, entry: Entry) -> Claim:
    """Return the claim with one more entry of its record.

    Raises:
        TallystickError: The rule that the entry breaks.
    """
    event = _event(terms, claim, entry)
    return claim if event is None else evolve(claim, entry, event)


def state_after(terms: Terms, claim: Claim, entry: Entry) -> ClaimState:
    """Return the state to which `entry`, which is on the record of `claim`, led when it was recorded."""
    if entry is claim.entries[-1]:
        return claim.state
    return next(one.claim.state for one in steps(terms, claim.entries) if one.entry is entry)


def _event(terms: Terms, claim: Claim, entry: Entry) -> EventType | None:
    """Return as what event a recorded entry counts, or None if it counts for nothing here."""
    try:
        return admit(terms.agreement, claim, entry.signed, at=entry.accepted_at, later=terms.later)
    except KeyRevokedError:
        # Revocations are recorded under the agreement: one by a revoked key revokes nothing here,
        # and makes no claim unreadable.
        if isinstance(entry.signed.body, KeyRevocation):
            return None
        raise


def _check_order(entries: Sequence[Entry]) -> None:
    """After the filing comes what the ledger holds, in its order; the filing's place is its own."""
    places = [entry.index for entry in entries[1:]]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise MisdirectedError("the record is not in the order of the ledger", given=places[:16])
