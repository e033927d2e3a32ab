"""Who voted on each stage, and why each vote counted or did not."""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.tally import Tally, tally_approvals, tally_denials
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import StageId
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Block, Section, section, table
from tallystick.domain.statements.engine import DecisionStatement


def votes(grounds: Grounds) -> Section:
    """Return the count of each stage: as it was when the stage was released, or else as it is at the end."""
    blocks = (block for progress in grounds.claim.stages for block in _stage(grounds, progress.stage))
    return section("Votes, and why each counted or did not", *blocks)


def _stage(grounds: Grounds, stage: StageId) -> Iterator[Block]:
    claim, at, moment = _counted_at(grounds, stage)
    approvals = tally_approvals(grounds.agreement, claim, stage, at=at)
    denials = tally_denials(grounds.agreement, claim, stage)
    yield f"Stage {stage}, counted {moment}. It needs the approval of {approvals.quorum.words}; " + _verdict(
        approvals, denials
    )
    rows = (*_rows("approves", approvals), *_rows("denies", denials))
    if rows:
        yield table(("Person", "Vote", "Counts", "Why"), (3, 2, 1, 8), rows)


def _counted_at(grounds: Grounds, stage: StageId) -> tuple[Claim, datetime, str]:
    claim = grounds.claim
    decision = claim.progress(stage).decision
    entry = claim.entry_of(decision) if decision is not None else None
    if entry is None or not isinstance(entry.signed.body, DecisionStatement):
        return claim, grounds.as_of, f"at the end of the record, {instant_text(grounds.as_of)}"
    at = entry.signed.body.decided_at
    return (
        grounds.before[entry.signed.id],
        at,
        f"by the gate at {instant_text(at)}, when it released the stage",
    )


def _verdict(approvals: Tally, denials: Tally) -> str:
    reached = "that was reached" if approvals.reached else "that was not reached"
    return f"{reached}{', and enough persons denied it' if denials.reached else ''}."


def _rows(does: str, tally: Tally) -> Iterator[tuple[str | tuple[str, ...], ...]]:
    return ((v.person, does, "yes" if v.counts else "no", (v.why, v.statement)) for v in tally.votes)
