"""Whether an agreement makes sense: a linter that explains, and a check that refuses.

`codec` makes sure that an agreement can be read; this makes sure that it can be
carried out: that there are people who may decide, that no party decides alone, that
every component opens once, and that no window is empty.
"""

from itertools import chain
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.errors import TallystickError
from tallystick.domain.soundness import clauses, naming, people, staging
from tallystick.domain.soundness.finding import Finding, Rule, Severity

__all__ = ["RULES", "Finding", "Rule", "Severity", "UnsoundAgreementError", "lint", "refuse_unsound"]

RULES: Final[tuple[Rule, ...]] = (*naming.RULES, *people.RULES, *staging.RULES, *clauses.RULES)
"""Every rule, in the order in which findings are listed."""


class UnsoundAgreementError(TallystickError):
    """An agreement under which a release could be impossible, or unsafe."""

    code = "unsound-agreement"
    why = "The agreement breaks a rule that keeps a release possible and safe."
    advice = "Run `tallystick agreement check FILE`; it explains each finding."


def lint(agreement: Agreement) -> tuple[Finding, ...]:
    """Return what is wrong or unwise in `agreement`; empty if nothing is."""
    return tuple(chain.from_iterable(rule(agreement) for rule in RULES))


def refuse_unsound(agreement: Agreement) -> None:
    """Refuse an agreement with errors; warnings are for the parties to weigh.

    Raises:
        UnsoundAgreementError: It has errors; the facts list them.
    """
    errors = [finding for finding in lint(agreement) if finding.severity is Severity.ERROR]
    if errors:
        findings = [{"code": one.code, "at": one.where, "message": one.message} for one in errors]
        raise UnsoundAgreementError("the agreement is unsound", findings=findings)
