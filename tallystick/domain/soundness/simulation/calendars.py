"""Whether a claim that is filed now, or soon, still fits the agreement's calendars."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.codec import instant_text
from tallystick.domain.instants import plus
from tallystick.domain.soundness.finding import Finding, error, warning
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.limits.agreements import CALENDAR_AHEAD_MIN, CLAIM_LENGTH_MAX

_EXTEND = "Sign a new version whose calendars cover later dates; it counts for claims that already run."


def check_calendars_reach(agreement: Agreement, filing: ClaimFiling, *, at: datetime) -> None:
    """Refuse a claim of which a deadline cannot be computed at all, even if everybody acts at once.

    Args:
        filing: A claim that may be filed at `at`.

    Raises:
        CalendarExhaustedError: A deadline lies after the last day that a calendar covers.
    """
    if (beyond := Trial(agreement, at=at).filed(filing).beyond) is not None:
        raise beyond


def calendars_reach(trial: Trial) -> Iterator[Finding]:
    """Require calendars that cover a claim filed now, and advise calendars that cover one filed soon."""
    if (beyond := _beyond(trial)) is not None:
        filed = instant_text(trial.at)
        message = f"a claim filed at {filed} could not be carried to its end: {beyond.message}"
        yield error("calendar-ends-in-claim", _where(trial, beyond), message, _EXTEND)
        return
    # Persons may take all the time that a window gives them.
    ahead = max(CALENDAR_AHEAD_MIN, min(time_given(trial.agreement), CLAIM_LENGTH_MAX))
    later = Trial(trial.agreement, at=plus(trial.at, ahead))
    if (beyond := _beyond(later)) is not None:
        last = _last_day(trial.agreement, trial.at, later.at)
        message = f"no claim filed after {last} can be carried to its end: {beyond.message}"
        yield warning("calendar-ends-soon", _where(later, beyond), message, _EXTEND)


def _beyond(trial: Trial) -> CalendarExhaustedError | None:
    """Return the deadline after a calendar's end if the depositor says nothing, which takes the longest."""
    return trial.end(trial.without_depositor).beyond or trial.end(trial.diligent).beyond


def time_given(agreement: Agreement) -> timedelta:
    """Return about how long the beneficiary, agent, approvers and receivers may take for one claim."""
    windows = agreement.windows
    each = windows.approval.roughly + windows.provisioning.roughly
    confirming = windows.confirmation.roughly if windows.confirmation else timedelta(0)
    return confirming + windows.intake.roughly + len(agreement.stages) * each


def _last_day(agreement: Agreement, good: datetime, bad: datetime) -> date:
    """Return the last day on which a claim can be filed, between a good moment and a bad one."""
    while bad - good > timedelta(days=1):
        middle = good + (bad - good) / 2
        fits = _beyond(Trial(agreement, at=middle)) is None
        good, bad = (middle, bad) if fits else (good, middle)
    return good.date()


def _where(trial: Trial, beyond: CalendarExhaustedError) -> str:
    places = {calendar.id: place for place, calendar in enumerate(trial.agreement.calendars)}
    place = places.get(str(beyond.facts.get("calendar")))
    return "/calendars" if place is None else f"/calendars/{place}/covers_until"
