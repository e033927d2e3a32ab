"""Rules for ends: that each wait has one, in time and with somebody, and that records outlast them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.windows import HoldEnd, UnprovenNoticeEnd, Waits
from tallystick.domain.amounts import counted
from tallystick.domain.periods import Period
from tallystick.domain.soundness.finding import Finding, Rule, error, warning

_WAITS: Final = (
    ("intake", "the escrow agent does not check the form of a claim"),
    ("dispute", "nobody settles an objection"),
    ("hold", "nobody lifts a hold"),
    ("unproven_notice", "notice to the depositor is never proven"),
)


def waits_end(agreement: Agreement) -> Iterator[Finding]:
    """Advise that the parties say how each wait ends if nobody acts."""
    for name, what in _WAITS:
        if getattr(agreement.ends, name) is None:
            message = f"if {what}, a claim waits for ever: no end is agreed"
            yield warning("no-end-agreed", f"/waits/{name}", message, f"Say in `waits.{name}` what follows.")


def waits_say_something(agreement: Agreement) -> Iterator[Finding]:
    """Require that `waits` is left out if it names nothing, so that an agreement has one form."""
    if agreement.waits == Waits():
        yield error("waits-empty", "/waits", "it names no wait", "Leave `waits` out, or name one.")


def waits_have_arbitrators(agreement: Agreement) -> Iterator[Finding]:
    """Require somebody who rules where a wait ends with the arbitrator, or with substitutes."""
    ends = agreement.ends
    to_arbitrator = (
        ("hold", ends.hold is not None and ends.hold.then is HoldEnd.ARBITRATOR),
        (
            "unproven_notice",
            ends.unproven_notice is not None and ends.unproven_notice.then is UnprovenNoticeEnd.ARBITRATOR,
        ),
        ("ruling", ends.ruling is not None),
    )
    for name, needed in to_arbitrator:
        if needed and agreement.authorities.arbitration is None:
            message = "it leads to an arbitrator, and the agreement has none"
            yield error("wait-needs-arbitrator", f"/waits/{name}", message, "Name one in `arbitration`.")


def ends_in_order(agreement: Agreement) -> Iterator[Finding]:
    """Require that what comes before the end of a wait has its time: substitutes, and deemed receipt."""
    ends, deemed = agreement.ends, agreement.notice.deemed_after
    if ends.ruling and ends.dispute and ends.ruling.after.roughly >= ends.dispute.after.roughly:
        message = f"substitutes may rule after {ends.ruling.after.text}, when the dispute is over"
        yield error("substitutes-too-late", "/waits/ruling/after", message, "Let them rule earlier.")
    overdue = ends.unproven_notice
    if overdue is not None and deemed is not None and overdue.after.roughly <= deemed.roughly:
        message = f"notice is overdue after {overdue.after.text}, and deemed received after {deemed.text}"
        advice = "Give notice more time than its deemed receipt needs."
        yield error("overdue-before-deemed", "/waits/unproven_notice/after", message, advice)


def ends_leave_days(agreement: Agreement) -> Iterator[Finding]:
    """Advise ends that people who are asleep, or away for a weekend, do not miss."""
    for where, period in periods_of_waits(agreement):
        if timedelta() < period.roughly < timedelta(days=3):
            message = f"{period.text} is over before people can act"
            yield warning("wait-short", where, message, "Give people days.")


def records_outlast_claims(agreement: Agreement) -> Iterator[Finding]:
    """Advise that records are kept for as long as one claim may take by the agreement's own terms."""
    kept, needed = agreement.governance.retention, _longest_claim(agreement)
    if timedelta() < kept.roughly < needed:
        message = f"records are kept for {kept.text}, but a claim may take {counted(needed.days + 1, 'day')}"
        advice = "Keep records for years: a court asks for them long after a claim's end."
        yield warning("retention-short", "/governance/retention", message, advice)


def _longest_claim(agreement: Agreement) -> timedelta:
    """Return how long a claim may take if everybody takes all their time, and each wait comes to its end."""
    windows, ends, stages = agreement.windows, agreement.ends, agreement.stages
    notice = ends.unproven_notice.after if ends.unproven_notice else agreement.notice.deemed_after
    once = (windows.confirmation, windows.intake, notice, windows.objection, windows.returning)
    waits = (wait.after for wait in (ends.dispute, ends.hold) if wait)
    each = (period for one in stages for period in (one.opens.delay, windows.approval, windows.provisioning))
    return sum((period.roughly for period in (*once, *waits, *each) if period), timedelta())


def periods_of_waits(agreement: Agreement) -> Iterator[tuple[str, Period]]:
    """Yield the JSON pointer to the time of each wait that has one of its own, with the time."""
    ends = agreement.ends
    waits = (
        ("dispute", ends.dispute),
        ("ruling", ends.ruling),
        ("hold", ends.hold),
        ("unproven_notice", ends.unproven_notice),
    )
    for name, wait in waits:
        if wait is not None:
            yield f"/waits/{name}/after", wait.after


RULES: Final[tuple[Rule, ...]] = (
    waits_end,
    waits_say_something,
    waits_have_arbitrators,
    ends_in_order,
    ends_leave_days,
    records_outlast_claims,
)
