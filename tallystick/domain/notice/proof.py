"""When notice is proven: by acknowledgement, or by the agreement's rule of deemed receipt.

A window starts at proof, never at sending. Suppressing a notice therefore never
makes a window end: without proof there is no window. What the deployment only handed
to itself (a folder, a mail catcher) reached nobody, and proves nothing unless the agreement says so.
"""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline, received
from tallystick.domain.agreement.destination import destination
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import NoticeAcknowledgement
from tallystick.domain.statements.engine import ChannelResult, Notice
from tallystick.domain.statements.orders import JointInstruction
from tallystick.domain.statements.signed import Entry


def proof_of_notice(agreement: Agreement, claim: Claim, *, at: datetime) -> Deadline | None:
    """Return when the depositor received notice, if it is proven at `at`, and how.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    acknowledged = knowledge(claim)
    if acknowledged is not None:
        return _received(
            agreement, acknowledged.accepted_at, f"acknowledged by {acknowledged.signed.body.person}"
        )
    deemed = deemed_receipt(agreement, claim)
    return deemed if deemed is not None and at >= deemed.at else None


def deemed_receipt(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return when notice will count as received without an acknowledgement, or None if never."""
    after, given = agreement.notice.deemed_after, _given(agreement, claim)
    if after is None or given is None:
        return None
    entry, channels = given
    passed = deadline(entry.accepted_at, after, recipient=depositor(agreement), agreement=agreement)
    how = f"notice {instant_text(entry.accepted_at)} taken by {', '.join(channels)}"
    return _received(agreement, passed.at, f"deemed received {after.text} after sending; {how}")


def notice_is_given(agreement: Agreement, claim: Claim) -> bool:
    """Return whether the depositor knows, or enough channels accepted a notice: no attempt is owed then."""
    return notice_given(agreement, claim) is not None


def channels_left(agreement: Agreement, claim: Claim) -> tuple[tuple[int, Channel], ...]:
    """Return the depositor's channels that have not taken a notice of the claim yet, each with its place.

    One that took it is not sent it again because another did not.
    """
    told = {destination(one.kind, one.address) for _, one in _taken(claim)}
    return tuple(
        (place, channel)
        for place, channel in enumerate(depositor(agreement).channels)
        if destination(channel.kind, channel.address) not in told
    )


def notice_given(agreement: Agreement, claim: Claim) -> Entry | None:
    """Return what gave notice first: a notice that was taken, or the depositor's own word; else None."""
    given, known = _given(agreement, claim), knowledge(claim)
    ways = (None if given is None else given[0], known)
    return min((way for way in ways if way is not None), key=lambda entry: entry.index, default=None)


def knowledge(claim: Claim) -> Entry | None:
    """Return the first statement by which the depositor shows that it knows of the claim."""
    signs = (*claim.entries_of(NoticeAcknowledgement), *claim.entries_of(JointInstruction))
    return min((entry for entry, _ in signs), key=lambda entry: entry.index, default=None)


def _given(agreement: Agreement, claim: Claim) -> tuple[Entry, tuple[str, ...]] | None:
    """Return the attempt with which enough channels had taken notice, and which these are."""
    # Only the depositor's own channels prove anything, and each of them once, however it is spelt.
    known = {destination(channel.kind, channel.address) for channel in depositor(agreement).channels}
    told: dict[tuple[ChannelKind, str], str] = {}
    for entry, one in _taken(claim):
        if _proves(agreement, one) and destination(one.kind, one.address) in known:
            told.setdefault(destination(one.kind, one.address), f"{one.kind} {quoted(one.address)}")
        if len(told) >= max(1, agreement.notice.channels_required):
            return entry, tuple(told.values())
    return None


def _taken(claim: Claim) -> Iterator[tuple[Entry, ChannelResult]]:
    for entry, body in claim.entries_of(Notice):
        for channel in body.channels:
            if channel.taken:
                yield entry, channel


def _proves(agreement: Agreement, channel: ChannelResult) -> bool:
    own = channel.own or channel.kind is ChannelKind.OUTBOX
    return not own or agreement.notice.own_channels is not None


def _received(agreement: Agreement, moment: datetime, how: str) -> Deadline:
    receipt = received(moment, recipient=depositor(agreement), agreement=agreement)
    return Deadline(at=receipt.at, explanation=(how, *receipt.explanation))
