"""Whether an agreement makes sense: a linter that explains, and a check that refuses.

`codec` makes sure that an agreement can be read; this makes sure that it can be
carried out. First come rules: there are people who may decide, no side decides alone,
every component opens once, and no window is empty. If they find no error, claims are
played under the agreement (`simulation`), to see that each ends as the words suggest.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.errors import TallystickError
from tallystick.domain.soundness import clauses, ends, naming, people, reaching, sides, staging
from tallystick.domain.soundness.finding import Finding, Rule, Severity
from tallystick.domain.soundness.simulation.simulated import simulated

__all__ = [
    "RULES",
    "Finding",
    "Rule",
    "Severity",
    "UnsoundAgreementError",
    "errors_among",
    "examine",
    "lint",
    "obstacles",
    "refuse_unsound",
]

RULES: Final[tuple[Rule, ...]] = (
    *naming.RULES,
    *people.RULES,
    *staging.RULES,
    *clauses.RULES,
    *reaching.RULES,
    *sides.RULES,
    *ends.RULES,
)
"""Every rule, in the order in which findings are listed."""


class UnsoundAgreementError(TallystickError):
    """An agreement under which a release could be impossible, or unsafe."""

    code = "unsound-agreement"
    why = "The agreement breaks a rule that keeps a release possible and safe."
    advice = "Run `tallystick agreement check FILE`; it explains each finding."


def lint(agreement: Agreement) -> tuple[Finding, ...]:
    """Return what the rules find wrong or unwise in `agreement`; empty if nothing is."""
    return tuple(chain.from_iterable(rule(agreement) for rule in RULES))


def examine(agreement: Agreement, *, at: datetime) -> tuple[Finding, ...]:
    """Return what the rules find, and what goes wrong with claims that are filed at `at`.

    Claims are played only if the rules find no error: before that, the document may contradict itself.
    """
    found = lint(agreement)
    return found if errors_among(found) else (*found, *simulated(agreement, at=at))


def obstacles(agreement: Agreement, *, at: datetime) -> tuple[Finding, ...]:
    """Return what may keep a claim that is filed at `at` from its end, for a claimant to know before."""
    return errors_among(lint(agreement)) or tuple(simulated(agreement, at=at))


def errors_among(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with which an agreement cannot be registered."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def refuse_unsound(agreement: Agreement, *, at: datetime, known: Iterable[Finding] = ()) -> None:
    """Refuse an agreement with errors; warnings are for the parties to weigh.

    Args:
        at: The present.
        known: Findings that refuse nothing, because the version before has them as well.

    Raises:
        UnsoundAgreementError: It has errors; the facts list them.
    """
    excused = {(one.code, one.where) for one in known}
    errors = [one for one in errors_among(examine(agreement, at=at)) if (one.code, one.where) not in excused]
    if errors:
        findings = [{"code": one.code, "at": one.where, "message": one.message} for one in errors]
        raise UnsoundAgreementError("the agreement is unsound", findings=findings)
