"""What makes an agreement sensible: a linter that explains, and a door that refuses.

`codec` sees to it that an agreement can be read; this sees to it that what it says
can be kept: that people exist who may decide, that no party decides alone, that
every component opens once, that a window is a window.
"""

from itertools import chain
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.errors import TallystickError
from tallystick.domain.soundness import clauses, naming, people, staging
from tallystick.domain.soundness.finding import Finding, Rule, Severity

__all__ = ["RULES", "Finding", "Rule", "Severity", "UnsoundAgreementError", "check", "refuse_unsound"]

RULES: Final[tuple[Rule, ...]] = (*naming.RULES, *people.RULES, *staging.RULES, *clauses.RULES)
"""Every rule, in the order in which its findings are told."""


class UnsoundAgreementError(TallystickError):
    """An agreement under which a release could be impossible, or unsafe."""

    code = "unsound-agreement"
    why = "The agreement breaks a rule that keeps a release possible and safe."
    advice = "Run `tallystick agreement check FILE`; it explains each finding."


def check(agreement: Agreement) -> tuple[Finding, ...]:
    """Return what is wrong or unwise in `agreement`; empty if nothing is."""
    return tuple(chain.from_iterable(rule(agreement) for rule in RULES))


def refuse_unsound(agreement: Agreement) -> None:
    """Let pass an agreement without errors; warnings are for the parties to weigh.

    Raises:
        UnsoundAgreementError: It has errors; the facts list them.
    """
    errors = [finding for finding in check(agreement) if finding.severity is Severity.ERROR]
    if errors:
        told = [{"code": found.code, "at": found.at, "message": found.message} for found in errors]
        raise UnsoundAgreementError("the agreement is unsound", findings=told)
