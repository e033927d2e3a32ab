"""What the inbox says of a notice that did not arrive: which channel answered what, and what comes next."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.notice.proof import channels_left, notice_is_given
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.engine import ChannelResult, Notice


def undelivered(agreement: Agreement, claim: Claim) -> str | None:
    """Return what became of a claim's notice so far, if it was tried and has not been given."""
    attempts = claim.entries_of(Notice)
    if not attempts or notice_is_given(agreement, claim):
        return None
    answers = "; ".join(_answer(one) for one in attempts[-1][1].channels) or "there is no channel"
    tried = f"notice was tried {counted(len(attempts), 'time')} and is not given"
    return f"{tried}: {answers}; {_next(agreement, claim)}"


def _next(agreement: Agreement, claim: Claim) -> str:
    due = notice_due_at(agreement, claim)
    if due is not None:
        return f"it is tried again at {instant_text(due)}"
    if channels_left(agreement, claim):
        return "it is not tried again in this state"
    return "no channel is left to try, so that only an acknowledgement or a proof of service can prove it"


def _answer(channel: ChannelResult) -> str:
    where = f"{channel.kind} {quoted(channel.address)}"  # the worker has quoted what a server answered
    if not channel.taken:
        return f"not taken by {where} ({channel.detail})"
    return f"taken by {where} ({channel.detail})" + (", which proves nothing" if channel.own else "")
