"""Whether a claim's evidence makes its release condition true.

Form is judged, not truth: the named items must be there and not too old, and there
must be no counter-evidence. The record keeps who certified what.
"""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.agreement.deadlines import deadline
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.limits.agreements import PERIOD_MAX


def unmet_evidence(agreement: Agreement, filing: ClaimFiling, *, at: datetime) -> tuple[str, ...]:
    """Return what keeps the condition from being met, in words; empty if it is met.

    Args:
        agreement: The version that the claim names.
        filing: What the claim says.
        at: When the claim was filed; the ages of documents count up to then.
    """
    condition = agreement.condition(filing.condition)
    stale = dict(_stale(agreement, filing, at))
    good = frozenset(document.item for document in filing.evidence) - stale.keys()
    unmet: list[str] = []
    if not condition.when.met_by(good):
        missing = condition.when.items - good - stale.keys()
        unmet = [*stale.values(), *(f"{item} is missing" for item in sorted(missing))]
        unmet.append(f"{condition.id} needs {_words(condition.when)}")
    brought = frozenset(document.item for document in filing.evidence)
    if condition.not_if is not None and condition.not_if.met_by(brought):
        unmet.append(f"there is counter-evidence: {_words(condition.not_if)}")
    return tuple(unmet)


def _stale(agreement: Agreement, filing: ClaimFiling, at: datetime) -> Iterator[tuple[str, str]]:
    for document in filing.evidence:
        item = agreement.evidence_item(document.item)
        if document.issued_at > at:
            yield item.id, f"{item.id} is dated in the future"
        elif item.max_age is not None and at - document.issued_at > PERIOD_MAX:
            # No period is longer, so the calendar need not cover the distant past.
            yield item.id, f"{item.id} is older than the longest period"
        elif item.max_age is not None:
            ends = deadline(
                document.issued_at, item.max_age, recipient=depositor(agreement), agreement=agreement
            )
            if at > ends.at:
                yield item.id, f"{item.id} is older than {item.max_age.text}"


def _words(expression: Expression) -> str:
    if expression.word == "item":
        return expression.item
    joint = " and " if expression.word == "all_of" else " or "
    return "(" + joint.join(_words(part) for part in expression.parts) + ")"
