"""When notice is proven: by acknowledgement, or by the agreement's rule of deemed receipt.

A window starts at proof, never at sending. Suppressing a notice therefore never
makes a window end: without proof there is no window.
"""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline, received
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.statements.acts import NoticeAcknowledgement
from tallystick.domain.statements.engine import Notice
from tallystick.domain.statements.orders import JointInstruction
from tallystick.domain.statements.signed import Entry


def proof_of_notice(agreement: Agreement, claim: Claim, *, at: datetime) -> Deadline | None:
    """Return when the depositor received notice, if it is proven at `at`, and how.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    acknowledged = _knowledge(claim)
    if acknowledged is not None:
        return _received(
            agreement, acknowledged.accepted_at, f"acknowledged by {acknowledged.signed.body.person}"
        )
    deemed = deemed_receipt(agreement, claim)
    return deemed if deemed is not None and at >= deemed.at else None


def deemed_receipt(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return when notice will count as received without an acknowledgement, or None if never."""
    after = agreement.notice.deemed_after
    taken = next((entry for entry, body in claim.notices if _taken(agreement, body)), None)
    if after is None or taken is None:
        return None
    passed = deadline(taken.accepted_at, after, recipient=depositor(agreement), agreement=agreement)
    return _received(agreement, passed.at, f"deemed received {after.text} after sending; {_channels(taken)}")


def notice_is_given(agreement: Agreement, claim: Claim) -> bool:
    """Return whether the depositor knows, or enough channels accepted a notice: no attempt is owed then."""
    return _knowledge(claim) is not None or any(_taken(agreement, body) for _, body in claim.notices)


def _knowledge(claim: Claim) -> Entry | None:
    """Return the first statement by which the depositor shows that it knows of the claim."""
    signs = (*claim.entries_of(NoticeAcknowledgement), *claim.entries_of(JointInstruction))
    return min((entry for entry, _ in signs), key=lambda entry: entry.index, default=None)


def _taken(agreement: Agreement, notice: Notice) -> bool:
    # Only the depositor's own channels prove anything, and each of them once.
    known = {(channel.kind, channel.address) for channel in depositor(agreement).channels}
    taken = known & {(channel.kind, channel.address) for channel in notice.channels if channel.taken}
    return len(taken) >= max(1, agreement.notice.channels_required)


def _channels(entry: Entry) -> str:
    body = entry.signed.body
    assert isinstance(body, Notice)
    taken = ", ".join(f"{channel.kind} {channel.address}" for channel in body.channels if channel.taken)
    return f"notice {instant_text(entry.accepted_at)} taken by {taken}"


def _received(agreement: Agreement, moment: datetime, how: str) -> Deadline:
    receipt = received(moment, recipient=depositor(agreement), agreement=agreement)
    return Deadline(at=receipt.at, explanation=(how, *receipt.explanation))
