"""Whether what is claimed is past its time: a deposit that is too old, or a licence that has ended.

Neither refuses a claim. A depositor who stops depositing could otherwise stop every claim, and whether
somebody may still use what was licensed is for the parties and their arbitrator. Those who file and judge are
told.
"""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.components import Component
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, deadline
from tallystick.domain.codec import instant_text
from tallystick.domain.periods import Period
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.limits.agreements import PERIOD_MAX


def is_older(agreement: Agreement, since: datetime, period: Period | None, at: datetime) -> bool:
    """Return whether content as of `since` is older than `period`; not, where no calendar can tell."""
    if period is None:
        return False
    if at - since > PERIOD_MAX:
        return True  # no period is longer, so the distant past need not be counted
    try:
        return at > deadline(since, period, recipient=depositor(agreement), agreement=agreement).at
    except CalendarExhaustedError:
        return False


def ended_licences(agreement: Agreement, filing: ClaimFiling) -> Iterator[str]:
    """Yield a sentence for each component claimed whose licence had ended when the claim was signed."""
    for component in _asked(agreement, filing):
        ended = component.licence.ends_on
        if ended is not None and filing.issued_at.date() > ended:
            yield (
                f"the licence of {component.id} ended on {ended.isoformat()}; that refuses no claim, "
                "and a release does not extend it"
            )


def old_content(agreement: Agreement, filing: ClaimFiling, deposit: Deposit, at: datetime) -> Iterator[str]:
    """Yield a sentence for each component that a claim asks for whose deposit is older than was agreed."""
    for component in _asked(agreement, filing):
        oldest = component.max_age
        if oldest is not None and is_older(agreement, deposit.watermark, oldest, at):
            yield (
                f"{component.id} is as of {instant_text(deposit.watermark)}, older than its `max_age` of "
                f"{oldest.text}; that refuses no claim"
            )


def _asked(agreement: Agreement, filing: ClaimFiling) -> Iterator[Component]:
    asked = {component for stage in filing.stages for component in agreement.stage(stage).components}
    return (component for component in agreement.components if component.id in asked)
