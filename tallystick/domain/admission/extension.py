"""Whether the log extends the checkpoint that the author of a statement had verified, and what follows.

What only stops a release is accepted all the same: a log that was rewritten, or put back from an older copy,
must not keep anyone from stopping it. What helps a release is refused, and counts for no decision; so is a
deposit, which a claim could ask for. A key that is reported stolen is stolen on every log: a revocation is
accepted, by whomever. The log is read elsewhere; the rules get what was found in it.
"""

from dataclasses import dataclass

from tallystick.domain.acts.all import BY_KIND
from tallystick.domain.amounts import counted
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Header, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.seen import ledger_seen


class LedgerNotExtendedError(TallystickError):
    """A statement that helps a release, by someone who has verified another log than this one."""

    code = "ledger-not-extended"
    why = (
        "The log does not begin with the one that the author had verified: it was rewritten, or an older "
        "copy took its place. Only what stops a release is accepted on such a log."
    )
    advice = (
        "Keep your trust file, tell the other parties, and have the operators put the whole log back. Once "
        "you all agree on the log as it is, run `tallystick ledger accept`, and sign a new draft."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFound:
    """An agreement's log as the one who asks has found it.

    Attributes:
        size: How many entries it had when the statement came, or has now.
        root: Its root when it had as many entries as the statement names; None if it never had.
    """

    size: int
    root: Digest | None


def helps_release(claim: Claim | None, body: Header) -> bool:
    """Return whether a statement helps the release that a claim asks for; if not, it only stops or reports.

    Args:
        claim: The claim that an act is about; None if `body` files it, or is about no claim.
    """
    if isinstance(body, ClaimFiling | Deposit):
        return True
    if isinstance(body, KeyRevocation):
        return False
    assert claim is not None, "an act is about a claim"
    return BY_KIND[body.KIND].helps(body, claim)


def contradiction(seen: LedgerSeen, log: LogFound) -> str | None:
    """Return in what the log does not extend what was seen, in words; None if it does."""
    if not 0 <= seen.size <= log.size:
        return f"its author had verified {_entries(seen.size)}, and the log had {log.size}"
    if seen.root != log.root:
        return f"its author had verified {seen.words}, and the log has {log.root or 'none'}"
    return None


def check_extended(claim: Claim | None, body: Header, log: LogFound) -> str | None:
    """Return what is wrong if the log does not extend what the author had verified, and the statement stops.

    Raises:
        LedgerNotExtendedError: The statement helps a release.
    """
    seen = ledger_seen(body)
    wrong = None if seen is None else contradiction(seen, log)
    if wrong is not None and seen is not None and helps_release(claim, body):
        raise LedgerNotExtendedError(
            wrong, seen_size=seen.size, seen_root=seen.root, size=log.size, root=log.root or "never so long"
        )
    return wrong


def _entries(size: int) -> str:
    return counted(size, "entry", "entries")
