"""What the gate decided, with every premise in words."""

from collections.abc import Iterator

from tallystick.domain.codec import instant_text
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Block, Section, section, table
from tallystick.domain.report.words import PREMISES
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.signed import Entry


def decisions(grounds: Grounds) -> Section:
    """Return each decision: a release with all of its premises, a refusal with those that were not met."""
    made = grounds.claim.entries_of(DecisionStatement)
    blocks = [block for entry, body in made for block in _decision(entry, body)]
    return section(
        "Decisions of the gate",
        "The gate releases a stage only if every premise below is met. Each decision was made again from the "
        "record for this report. What only the gate could see is taken as it signed it: the stored bytes, "
        "its log, and whether it was halted.",
        *(blocks or ["The gate has decided nothing on this claim."]),
    )


def _decision(entry: Entry, body: DecisionStatement) -> Iterator[Block]:
    did = "released" if body.released else "was not released"
    yield f"Stage {body.stage} {did} at {instant_text(body.decided_at)}: decision {entry.signed.id}."
    rows = (
        (PREMISES[one.premise], "yes" if one.holds else "NO", f"{one.premise}: {one.found}")
        for one in body.premises
        if body.released or not one.holds
    )
    yield table(("Premise", "Met", "What the gate found"), (6, 1, 7), rows)
