"""Folding the whole record of a claim, from its filing to its present state."""

from collections.abc import Callable, Iterator, Sequence
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
from tallystick.domain.record.filing import check_for_whom, check_stages_asked, stages_asked
from tallystick.domain.record.generations import rules_of
from tallystick.domain.refusals import (
    KeyRevokedError,
    MisdirectedError,
)
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One entry of a claim's record, and what it changed.

    Attributes:
        event: The event that the entry is; None for the filing, with which the claim begins.
        claim: The claim after the entry.
    """

    entry: Entry
    event: EventType | None
    claim: Claim


def unseen(_: Claim | None, __: Turn) -> None:
    """Look at no turn."""


def fold(
    terms: Terms, entries: Sequence[Entry], *, look: Callable[[Claim | None, Turn], None] = unseen
) -> Claim:
    """Return the claim that `entries` make: the filing first, then every act and event, in ledger order.

    Every entry is admitted again, at the time the record gives it and by the rules that the
    claim was filed under, so a record with an entry that should not be there does not fold.

    Args:
        terms: What the claim is read by.
        entries: Its record.
        look: Called with each turn and the claim before it, None before the filing. Each turn has the whole
            record up to it, so nobody should keep them.

    Raises:
        TallystickError: The rule that an entry breaks.
    """
    claim = None
    for turn in turns(terms, entries):
        look(claim, turn)
        claim = turn.claim
    assert claim is not None, "a record begins with a filing, or does not fold"
    return claim


def turns(terms: Terms, entries: Sequence[Entry]) -> Iterator[Turn]:
    """Yield every turn that `fold` takes, from the filing to the present state.

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
    check_for_whom(terms.agreement, filing)
    _check_order(entries)
    claim = filed(first, stages=stages_asked(terms.agreement, filing), rules=rules_of(filing.generation))
    yield Turn(entry=first, event=None, claim=claim)
    for entry in entries[1:]:
        event = _event(terms, claim, entry)
        if event is not None:
            claim = evolve(claim, entry, event)
            yield Turn(entry=entry, event=event, claim=claim)


def advance(terms: Terms, claim: Claim, entry: Entry) -> Claim:
    """Return the claim with one more entry of its record.

    Raises:
        TallystickError: The rule that the entry breaks.
    """
    event = _event(terms, claim, entry)
    return claim if event is None else evolve(claim, entry, event)


def state_after(claim: Claim, entry: Entry) -> ClaimState:
    """Return the state that `claim` had after `entry`, which is on its record."""
    return state_at(claim, claim.entries.index(entry))


def state_at(claim: Claim, place: int) -> ClaimState:
    """Return the state that `claim` had after the entry at a place of its record, counted from 0."""
    return claim.steps[place - 1].state if place else ClaimState.FILED


def _event(terms: Terms, claim: Claim, entry: Entry) -> EventType | None:
    """Return the event that a recorded entry is, or None if it counts for nothing here."""
    try:
        return admit(terms.agreement, claim, entry.signed, at=entry.accepted_at, later=terms.later)
    except KeyRevokedError:
        # Revocations are recorded under the agreement. One that a revoked key signed revokes nothing here,
        # and must not make the claim unreadable.
        if isinstance(entry.signed.body, KeyRevocation):
            return None
        raise


def _check_order(entries: Sequence[Entry]) -> None:
    """Require ledger order after the filing; the filing comes first, wherever it is in the ledger."""
    places = [entry.index for entry in entries[1:]]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise MisdirectedError("the record is not in the order of the ledger", given=places[:16])
