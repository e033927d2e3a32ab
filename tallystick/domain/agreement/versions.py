"""The versions of an agreement: which may follow which, and which one was in force when."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.windows import Calendar
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import PublicKey
from tallystick.domain.refusals import BadTimingError, NotYoursError, SupersededError


def check_predecessors(previous: Agreement, signers: Collection[PublicKey]) -> None:
    """Refuse a version without the parties of `previous`: nobody is dropped from an agreement by others.

    Raises:
        NotYoursError: A party to the previous version has not signed.
    """
    signed = {person.party for person in previous.persons if person.signing_key in signers}
    if missing := sorted(party.id for party in previous.parties if party.id not in signed):
        raise NotYoursError(
            "the version is not signed by every party to the previous one", missing=list(missing)
        )


def check_in_force(agreement: Agreement, later: Iterable[Agreement], *, at: datetime) -> None:
    """Refuse a claim under any version but the one in force: nobody picks the rules that suit them best.

    Args:
        later: The versions after `agreement` that were registered when the claim was filed.
        at: When it was filed.

    Raises:
        BadTimingError: The version was not yet in force.
        SupersededError: A newer version was in force.
    """
    if at < agreement.effective_from:
        raise BadTimingError(
            "this version of the agreement is not in force yet",
            effective_from=instant_text(agreement.effective_from),
        )
    for newer in later:
        if newer.effective_from <= at:
            raise SupersededError(
                "a newer version of the agreement is in force",
                version=newer.version,
                effective_from=instant_text(newer.effective_from),
            )


def only_lengthens_calendars(previous: Agreement, newer: Agreement) -> bool:
    """Return whether `newer` differs from `previous` in calendars alone, which only reach further.

    Every day that a calendar of `previous` covers is open or closed as before, so no deadline moves. The
    version's number, what it supersedes and when it takes effect differ by their nature.
    """
    same = replace(
        newer,
        version=previous.version,
        supersedes=previous.supersedes,
        effective_from=previous.effective_from,
        calendars=previous.calendars,
    )
    if same != previous or len(newer.calendars) != len(previous.calendars):
        return False
    return all(map(_reaches_further, previous.calendars, newer.calendars))


def with_longest_calendars(agreement: Agreement, later: Iterable[Agreement]) -> Agreement:
    """Return `agreement` with the calendars of those `later` versions that do nothing but lengthen them.

    Args:
        later: In the order of their numbers. One that changes anything else, or shortens a calendar again,
            is ignored, so a reader who takes them one by one finds the same calendars.
    """
    for newer in later:
        if newer.calendars != agreement.calendars and only_lengthens_calendars(agreement, newer):
            agreement = replace(agreement, calendars=newer.calendars)
    return agreement


def _reaches_further(before: Calendar, after: Calendar) -> bool:
    end = before.covers_until
    return (
        (after.id, after.weekend) == (before.id, before.weekend)
        and after.covers_until >= end
        and _until(after, end) == _until(before, end)
    )


def _until(calendar: Calendar, last: date) -> frozenset[date]:
    return frozenset(day for day in calendar.holidays if day <= last)
