"""The second witness of a window: when the gate, by its own clock, saw that notice was on record.

Anyone who has the log key and can write to the database can date a notice back by weeks. But they cannot
sign for the gate: a window is over only once it would be over for a notice given when the gate saw it. A
gate that was away makes the window longer.
"""

from collections.abc import Iterable

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline, received
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.codec import instant_text
from tallystick.domain.notice.proof import knowledge, notice_given, vouched
from tallystick.domain.statements.acts import NoticeAcknowledgement, ProofOfService
from tallystick.domain.statements.engine import Notice, Sighting
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Entry
from tallystick.limits.documents import SIGHTING_TOLERANCE


def to_be_sighted(agreement: Agreement, claim: Claim) -> Entry | None:
    """Return the statement that the gate has yet to sign when it saw it, or None.

    It sees once what gave notice first, and then the word of others than the depositor: no letter that the
    gate saw earlier tells when that came.
    """
    if not claim.may(EventType.NOTICE_SIGHTED):
        return None
    seen = {body.notice for body in _sightings(claim)}
    others = vouched(claim)
    if others is not None and others.signed.id not in seen and seen:
        return others
    return None if seen else notice_given(agreement, claim)


def sighting_of(claim: Claim) -> Sighting | None:
    """Return the gate's sighting on which the claim's window rests, or None while there is none."""
    sightings: Iterable[Sighting] = _sightings(claim)
    opened_by = opening(claim)
    if opened_by is not None and isinstance(opened_by.signed.body, Ruling | ProofOfService):
        sightings = (body for body in sightings if body.notice == opened_by.signed.id)
    return next(iter(sightings), None)


def _sightings(claim: Claim) -> tuple[Sighting, ...]:
    """Return the gate's sightings of what still counts: that of a revoked proof tells of no other notice."""
    words = (*claim.entries_of(Ruling), *claim.entries_of(ProofOfService))
    fallen = {entry.signed.id for entry, _ in words if not claim.stands(entry)}
    return tuple(body for _, body in claim.entries_of(Sighting) if body.notice not in fallen)


def opening(claim: Claim) -> Entry | None:
    """Return the statement that proved notice, and so opened the window; None while it has not opened."""
    return None if claim.window_opened_by is None else claim.entry_of(claim.window_opened_by)


def sighted_end(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return when the window ends by the gate's sighting, or None while there is no sighting.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    sighting = sighting_of(claim)
    if sighting is None:
        return None
    # The tolerance is taken off the beginning: an hour at the end of a business day would be a day.
    began, vendor = sighting.issued_at - SIGHTING_TOLERANCE, depositor(agreement)
    if (after := agreement.notice.deemed_after) is not None and not _was_shown(claim):
        began = deadline(began, after, recipient=vendor, agreement=agreement).at
    receipt = received(began, recipient=vendor, agreement=agreement)
    ends = deadline(receipt.at, agreement.windows.objection, recipient=vendor, agreement=agreement)
    return Deadline(at=ends.at, explanation=(_seen(sighting), *receipt.explanation, *ends.explanation))


def window_end(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return the last moment of the window by both witnesses, or None while one of them is missing.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    sighted = sighted_end(agreement, claim)
    if claim.window_until is None or sighted is None:
        return None
    if sighted.at > claim.window_until:
        return sighted
    return Deadline(at=claim.window_until, explanation=("the last moment to object has passed",))


def was_served(claim: Claim) -> bool:
    """Return whether the window opened because the depositor itself had said that it has notice.

    Where it was deemed received, or others stated or ruled that it was given, it may have reached nobody.
    """
    opened_by = opening(claim)
    own = NoticeAcknowledgement | JointInstruction
    return opened_by is not None and isinstance(opened_by.signed.body, own)


def _was_shown(claim: Claim) -> bool:
    """Return whether somebody's word opened the window, or will, and not deemed receipt."""
    opened_by = opening(claim) or knowledge(claim)
    return opened_by is not None and not isinstance(opened_by.signed.body, Notice)


def _seen(sighting: Sighting) -> str:
    seen, began = sighting.issued_at, sighting.issued_at - SIGHTING_TOLERANCE
    saw = f"the gate saw the notice at {instant_text(seen)}"
    return f"{saw}; as it may have looked an hour late, the time counts from {instant_text(began)}"
