"""When notice is proven: by acknowledgement, or by the agreement's rule of deemed receipt.

A window starts at proof, never at sending. Suppressing a notice therefore never
makes a window end: without proof there is no window. What the deployment only handed
to itself (a folder, a mail catcher) reached nobody, and proves nothing unless the agreement says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline, received
from tallystick.domain.agreement.destination import destination
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.kinds import Outcome
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import NoticeAcknowledgement, ProofOfService
from tallystick.domain.statements.engine import ChannelResult, Notice
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Why the depositor counts as having notice.

    Attributes:
        by: The statement that proves it; of deemed receipt, the notice that was taken.
        received: When, and how.
    """

    by: Entry
    received: Deadline


def proof_of_notice(agreement: Agreement, claim: Claim, *, at: datetime) -> Proof | None:
    """Return the earliest proof that the depositor has notice, if it is proven at `at`.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    if (shown := _earliest(knowledge(claim), vouched(claim))) is not None:
        received = _received(agreement, shown.accepted_at, _how(shown))
        return Proof(by=shown, received=received)
    given, deemed = _given(agreement, claim), deemed_receipt(agreement, claim)
    if given is None or deemed is None or at < deemed.at:
        return None
    return Proof(by=given[0], received=deemed)


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
    """Return whether the depositor knows, or enough channels accepted a notice: no attempt is owed then.

    The word of others spares nobody a letter.
    """
    return knowledge(claim) is not None or _given(agreement, claim) is not None


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
    """Return what gave notice first: a notice that was taken, the depositor's word, or others'; else None."""
    given = _given(agreement, claim)
    return _earliest(None if given is None else given[0], knowledge(claim), vouched(claim))


def knowledge(claim: Claim) -> Entry | None:
    """Return the first statement by which the depositor shows that it knows of the claim."""
    signs = (*claim.entries_of(NoticeAcknowledgement), *claim.entries_of(JointInstruction))
    return min((entry for entry, _ in signs), key=lambda entry: entry.index, default=None)


def vouched(claim: Claim) -> Entry | None:
    """Return the first statement that stands by which others vouch that the depositor has notice, or None.

    It helps a release, and is not the depositor's own, so it counts no longer than its signers do.
    """
    leaves = (entry for entry, body in claim.entries_of(Ruling) if body.outcome is Outcome.NOTICE_GIVEN)
    services = (entry for entry, _ in claim.entries_of(ProofOfService))
    return _earliest(*filter(claim.stands, (*leaves, *services)))


def _earliest(*entries: Entry | None) -> Entry | None:
    return min(filter(None, entries), key=lambda entry: entry.index, default=None)


def _how(shown: Entry) -> str:
    body = shown.signed.body
    if isinstance(body, ProofOfService):
        how = body.method.replace("_", " ")
        return f"served on {body.served_on.isoformat()} by {how}, stated by {body.person}"
    if isinstance(body, Ruling):
        return f"ruled to have been given, attested by {body.person}"
    return f"acknowledged by {body.person}"


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
