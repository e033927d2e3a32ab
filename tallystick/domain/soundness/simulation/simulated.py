"""All plays under an agreement, and what they find."""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.instants import plus
from tallystick.domain.soundness.finding import Finding, error
from tallystick.domain.soundness.simulation.calendars import calendars_reach
from tallystick.domain.soundness.simulation.scenarios import SCENARIOS
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.limits.agreements import PERIOD_MAX


def simulated(agreement: Agreement, *, at: datetime) -> Iterator[Finding]:
    """Yield each way in which a claim that is filed at `at` fails what the agreement's words promise.

    Args:
        agreement: One in which the linter's rules find no error, so that claims can be played at all.
        at: The present; an agreement that takes effect later is tried from then on.
    """
    if agreement.effective_from > plus(at, PERIOD_MAX):
        message = f"the agreement takes effect on {agreement.effective_from.date()}, in more than ten years"
        yield error("effect-too-late", "/effective_from", message, "Let it take effect within ten years.")
        return
    trial = Trial(agreement, at=at)
    beyond = tuple(calendars_reach(trial))
    yield from beyond
    if any(finding.code == "calendar-ends-in-claim" for finding in beyond):
        return  # every other play would stop there, too
    for scenario in SCENARIOS:
        yield from scenario(trial)
