"""The whole report of a claim, in the order in which a reader needs it."""

from typing import Final

from tallystick.domain.report.checks import UNANCHORED, checks
from tallystick.domain.report.course import counted_days, course
from tallystick.domain.report.cover import asked, identity, outcome, people
from tallystick.domain.report.decisions import decisions
from tallystick.domain.report.documents import brought
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Paper, Section, section
from tallystick.domain.report.votes import votes
from tallystick.domain.shown.summary import summarise


def report(grounds: Grounds) -> Paper:
    """Return the report of a verified claim; the same grounds give the same report, whoever makes it."""
    return Paper(
        title=f"Report on claim {grounds.claim.id}",
        warning=None if grounds.anchored else UNANCHORED,
        sections=tuple(part(grounds) for part in _PARTS),
    )


def _terms(grounds: Grounds) -> Section:
    return section("The agreement, in plain language", *summarise(grounds.agreement))


_PARTS: Final = (
    identity,
    outcome,
    people,
    asked,
    brought,
    course,
    counted_days,
    votes,
    decisions,
    checks,
    _terms,
)
