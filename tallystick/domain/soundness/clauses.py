"""Rules for calendars, windows, notices, licences and texts."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Component, LicenceModel
from tallystick.domain.agreement.deadlines import WEEKDAYS, UnknownTimeZoneError, time_zone
from tallystick.domain.agreement.destination import destination
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Role
from tallystick.domain.agreement.windows import Calendar, NoticeRule
from tallystick.domain.amounts import counted, joined
from tallystick.domain.errors import MalformedNameError
from tallystick.domain.ids import name
from tallystick.domain.periods import Period
from tallystick.domain.soundness.ends import periods_of_waits
from tallystick.domain.soundness.finding import Finding, Rule, error, warning
from tallystick.limits.agreements import ADDRESS_LENGTH_MAX, WINDOW_MIN
from tallystick.limits.documents import STATEMENT_LIFETIME_MAX

_OBJECTION_DAYS_MIN: Final = 5  # business days; in fewer, a holiday may hide a notice
_COVERAGE_MIN: Final = timedelta(days=365)
_PIN_HOLIDAYS: Final = "List the holidays of the coming years."
_COVER_HOLIDAYS: Final = "Set a later `covers_until`, or remove the holiday."
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)


def known_time_zones(agreement: Agreement) -> Iterator[Finding]:
    """Require time zones that the IANA database has."""
    for place, party in enumerate(agreement.parties):
        try:
            time_zone(party.time_zone)
        except UnknownTimeZoneError as unknown:
            yield error(unknown.code, f"/parties/{place}/time_zone", str(unknown), unknown.advice)


def calendars_countable(agreement: Agreement) -> Iterator[Finding]:
    """Require calendars whose days can be counted, for at least a year after they take effect."""
    for place, calendar in enumerate(agreement.calendars):
        where = f"/calendars/{place}"
        if unknown := sorted(set(calendar.weekend) - set(WEEKDAYS)):
            message = f"{unknown[0][:16]!r} is not a day of the week"
            yield error("weekend-unknown", f"{where}/weekend", message, f"Use {', '.join(WEEKDAYS)}.")
        if set(WEEKDAYS) <= set(calendar.weekend):
            yield error(
                "weekend-all-week", f"{where}/weekend", "no day is a business day", "Leave out one day."
            )
        yield from _coverage(agreement, calendar, where)


def _coverage(agreement: Agreement, calendar: Calendar, where: str) -> Iterator[Finding]:
    begins = agreement.effective_from.date()
    needed = begins + min(_COVERAGE_MIN, date.max - begins)
    covered = calendar.covers_until.isoformat()
    if calendar.covers_until < begins:
        message = f"the calendar ends on {covered}, before the agreement takes effect"
        yield error("calendar-over", f"{where}/covers_until", message, _PIN_HOLIDAYS)
    elif calendar.covers_until < needed:
        message = f"the calendar ends on {covered}, less than a year after the agreement takes effect"
        yield warning("calendar-short", f"{where}/covers_until", message, _PIN_HOLIDAYS)
    if beyond := [day for day in calendar.holidays if day > calendar.covers_until]:
        message = f"the holiday {min(beyond).isoformat()} is after the calendar's end"
        yield warning("holiday-not-covered", f"{where}/holidays", message, _COVER_HOLIDAYS)


def windows_open(agreement: Agreement) -> Iterator[Finding]:
    """Require that no period is empty."""
    windows, governance = agreement.windows, agreement.governance
    periods = (
        ("/windows/intake", windows.intake),
        ("/windows/objection", windows.objection),
        ("/windows/approval", windows.approval),
        ("/windows/approval_lifetime", windows.approval_lifetime),
        ("/windows/provisioning", windows.provisioning),
        ("/windows/returning", windows.returning),
        ("/communications/cadence", agreement.communications.cadence),
        ("/governance/review_every", governance.review_every),
        ("/governance/retention", governance.retention),
        *periods_of_waits(agreement),
        *_periods_of_parts(agreement),
    )
    for where, period in periods:
        if period.roughly <= timedelta():
            yield error(
                "empty-period", where, f"{period.text} is over at once", "Write a period longer than zero."
            )


def _periods_of_parts(agreement: Agreement) -> Iterator[tuple[str, Period]]:
    for place, component in enumerate(agreement.components):
        for member, period in (("cadence", component.cadence), ("max_age", component.max_age)):
            if period is not None:
                yield f"/components/{place}/{member}", period
    for place, item in enumerate(agreement.evidence):
        if item.max_age is not None:
            yield f"/evidence/{place}/max_age", item.max_age


def windows_leave_time(agreement: Agreement) -> Iterator[Finding]:
    """Require windows in which somebody can act."""
    windows = agreement.windows
    periods = (
        ("objection", windows.objection),
        ("approval", windows.approval),
        ("provisioning", windows.provisioning),
    )
    for window, period in periods:
        if timedelta() < period.roughly < WINDOW_MIN:
            message = f"{period.text} is over before anyone, or any program, can act"
            yield error(
                "window-momentary", f"/windows/{window}", message, "Give people days, and programs minutes."
            )


def windows_leave_a_day(agreement: Agreement) -> Iterator[Finding]:
    """Advise windows in which a person who is asleep, or a receiver with much to fetch, is in time."""
    windows = agreement.windows
    needed = (
        ("intake", windows.intake, _DAY),
        ("approval", windows.approval, _DAY),
        ("provisioning", windows.provisioning, _HOUR),
        ("returning", windows.returning, _DAY),
        ("notice.deemed_after", agreement.notice.deemed_after, _DAY),
    )
    short = [f"{name} ({one.text})" for name, one, least in needed if one is not None and one.roughly < least]
    if short:
        message = f"too short for people, or for a receiver with much to fetch: {joined(short, 'and')}"
        advice = "Give people a business day at least, and a receiver an hour."
        yield warning("window-short", "/windows", message, advice)


def evidence_stays_fresh(agreement: Agreement) -> Iterator[Finding]:
    """Advise ages at which a document can still be fetched, sealed and filed."""
    for place, item in enumerate(agreement.evidence):
        if item.max_age is not None and timedelta() < item.max_age.roughly < _DAY:
            message = f"{item.id} may be {item.max_age.text} old: it is too old before anyone can file it"
            where = f"/evidence/{place}/max_age"
            yield warning("evidence-short-lived", where, message, "Allow days, or no age at all.")


def deposits_fresh_between(agreement: Agreement) -> Iterator[Finding]:
    """Advise that a deposit on schedule is not too old before the next one comes."""
    for place, component in enumerate(agreement.components):
        cadence, oldest = component.cadence, component.max_age
        if cadence is not None and oldest is not None and oldest.roughly < cadence.roughly:
            message = f"{component.id} may be {oldest.text} old, but is deposited every {cadence.text} only"
            yield warning(
                "max-age-below-cadence",
                f"/components/{place}/max_age",
                message,
                "Make it at least the cadence.",
            )


def objection_window_fair(agreement: Agreement) -> Iterator[Finding]:
    """Advise a window in which a depositor can take advice."""
    objection = agreement.windows.objection
    if timedelta() < objection.roughly < _WEEK * _OBJECTION_DAYS_MIN / 5:
        message = f"{objection.text} is less than {_OBJECTION_DAYS_MIN} business days"
        yield warning("objection-window-short", "/windows/objection", message, "10 business days are usual.")


def approvals_last(agreement: Agreement) -> Iterator[Finding]:
    """Require that an approval given early still counts when the window for approval ends."""
    windows = agreement.windows
    if windows.approval_lifetime.roughly < windows.approval.roughly:
        message = f"approvals last {windows.approval_lifetime.text}, but the window {windows.approval.text}"
        yield error(
            "approval-lifetime-short", "/windows/approval_lifetime", message, "Make it at least as long."
        )
    if windows.approval_lifetime.roughly > STATEMENT_LIFETIME_MAX:
        message = f"no statement counts for {windows.approval_lifetime.text}"
        advice = f"Write at most {STATEMENT_LIFETIME_MAX.days} days."
        yield error("approval-lifetime-long", "/windows/approval_lifetime", message, advice)


def notices_arrive(agreement: Agreement) -> Iterator[Finding]:
    """Require that the depositor can be reached, on as many channels as proof of notice needs."""
    notice = agreement.notice
    if notice.resumes >= notice.cutoff:
        message = f"business resumes at {notice.resumes:%H:%M}, but the cut-off is at {notice.cutoff:%H:%M}"
        yield error("notice-hours", "/notice/resumes", message, "Set an hour before the cut-off.")
    if notice.channels_required < 1:
        yield error(
            "channels-required", "/notice/channels_required", "no channel is required", "Require at least 1."
        )
    for place, party in enumerate(agreement.parties):
        if party.role is not Role.DEPOSITOR:
            continue
        where = f"/parties/{place}/channels"
        if not party.channels:
            yield error("depositor-unreachable", where, f"no notice reaches {party.id}", "Add a channel.")
        elif (different := len(set(party.channels))) < notice.channels_required:
            message = (
                f"{party.id} has {counted(different, 'different channel')}, "
                f"but `channels_required` is {notice.channels_required}"
            )
            yield error("channels-required", where, message, "Add channels, or require fewer.")
        elif notice.deemed_after is not None:
            yield from _proving(party, where, notice)


def _proving(party: Party, where: str, notice: NoticeRule) -> Iterator[Finding]:
    """Require that enough channels can prove notice, unless the deployment's own may."""
    if notice.own_channels is not None:
        return
    others = {
        destination(one.kind, one.address) for one in party.channels if one.kind is not ChannelKind.OUTBOX
    }
    if len(others) < notice.channels_required:
        message = (
            f"{counted(len(others), 'channel')} of {party.id} can prove notice, "
            f"but `channels_required` is {notice.channels_required}"
        )
        advice = (
            "Add e-mail addresses or webhooks, or leave `deemed_after` out: only acknowledgement proves then."
        )
        yield error("notice-unprovable", where, message, advice)


def addresses_plausible(agreement: Agreement) -> Iterator[Finding]:
    """Require addresses of the form that their channel needs."""
    for place, party in enumerate(agreement.parties):
        for number, channel in enumerate(party.channels):
            if problem := _address_problem(channel):
                where = f"/parties/{place}/channels/{number}/address"
                yield error(
                    "channel-address", where, problem, "Write `a@b.example`, `https://…` or an outbox's name."
                )


def licences_complete(agreement: Agreement) -> Iterator[Finding]:
    """Require the end and the seats of licences that have them."""
    for place, component in enumerate(agreement.components):
        where = f"/components/{place}/licence"
        if missing := _licence_gaps(component):
            message = f"the {component.licence.model.value} licence lacks {' and '.join(missing)}"
            advice = "A release does not extend a licence: say how long it runs."
            yield error("licence-incomplete", where, message, advice)
        if component.licence.model is LicenceModel.PERPETUAL and component.licence.ends_on is not None:
            message = "a perpetual licence has an end"
            yield error("licence-perpetual-ends", where, message, "Use `term`, or remove `ends_on`.")
        if component.licence.seats is not None and component.licence.seats < 1:
            yield error("licence-seats", f"{where}/seats", "the licence has no seats", "Write at least 1.")


def entries_inside_bag(agreement: Agreement) -> Iterator[Finding]:
    """Require entries that a bag can hold: relative paths that stay inside it."""
    for place, component in enumerate(agreement.components):
        for item, entry in enumerate(component.required_entries):
            if not entry or entry.startswith("/") or "\\" in entry or {"", ".", ".."} & set(entry.split("/")):
                where = f"/components/{place}/required_entries/{item}"
                yield error(
                    "required-entry",
                    where,
                    f"{entry[:64]!r} is not a path inside a bag",
                    "Write `folder/file`.",
                )


def texts_written(agreement: Agreement) -> Iterator[Finding]:
    """Require the texts on which people rely when something goes wrong."""
    texts = (
        ("support-empty", "/communications/support", agreement.communications.support),
        ("text-empty", "/title", agreement.title),
        ("text-empty", "/governance/governing_law", agreement.governance.governing_law),
    )
    for code, where, text in texts:
        if not text.strip():
            yield error(code, where, "the text is empty", "Write it: people will look here.")


def _address_problem(channel: Channel) -> str:
    address = channel.address
    if len(address) > ADDRESS_LENGTH_MAX:
        return f"longer than {ADDRESS_LENGTH_MAX} characters"
    if channel.kind is ChannelKind.EMAIL:
        return "" if _EMAIL.fullmatch(address) else "not an e-mail address"
    if channel.kind is ChannelKind.WEBHOOK:
        return _webhook_problem(address)
    try:
        name(address)
    except MalformedNameError:
        return "not the name of an outbox"
    return ""


def _webhook_problem(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not a URL"
    if parts.scheme != "https" or not host:
        return "not an https URL"
    if "@" in parts.netloc or parts.fragment or not address.isascii() or " " in address:
        return "a URL with a user, a fragment or unusual characters"
    return ""


def _licence_gaps(component: Component) -> list[str]:
    licence = component.licence
    gaps: list[str] = []
    if licence.model is not LicenceModel.PERPETUAL and licence.ends_on is None:
        gaps.append("ends_on")
    if licence.model is LicenceModel.SUBSCRIPTION and licence.seats is None:
        gaps.append("seats")
    return gaps


RULES: Final[tuple[Rule, ...]] = (
    known_time_zones,
    calendars_countable,
    windows_open,
    windows_leave_time,
    windows_leave_a_day,
    evidence_stays_fresh,
    deposits_fresh_between,
    objection_window_fair,
    approvals_last,
    notices_arrive,
    addresses_plausible,
    licences_complete,
    entries_inside_bag,
    texts_written,
)
