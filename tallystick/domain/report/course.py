"""What happened, entry by entry, in the order in which it counts."""

from collections.abc import Iterator

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import joined
from tallystick.domain.claim.state import ClaimState, Step
from tallystick.domain.codec import instant_text
from tallystick.domain.inbox.deadlines import known_deadlines
from tallystick.domain.quoting import quoted
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Section, section, table
from tallystick.domain.report.words import EVENTS
from tallystick.domain.shown.shown import stated
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice
from tallystick.domain.statements.header import ActBody
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry


def course(grounds: Grounds) -> Section:
    """Return every entry of the claim's record: when, who, what, and the words that went with it."""
    claim = grounds.claim
    filing = claim.entries[0]
    files = (f"{_authors(grounds.agreement, filing)} files the claim.", _identity(filing))
    first = (_when(filing), files, ClaimState.FILED.value)
    later = zip(claim.entries[1:], claim.steps, strict=True)
    return section(
        "What happened",
        table(
            ("Accepted", "What", "The claim is then"),
            (3, 11, 3),
            (first, *(_row(grounds.agreement, entry, step) for entry, step in later)),
        ),
    )


def _row(agreement: Agreement, entry: Entry, step: Step) -> tuple[str, tuple[str, ...], str]:
    return _when(entry), (*_said(agreement, entry, step), _identity(entry)), step.state.value


def _when(entry: Entry) -> str:
    return instant_text(entry.accepted_at)


def _identity(entry: Entry) -> str:
    return f"entry {entry.index}, {entry.signed.id}"


def _said(agreement: Agreement, entry: Entry, step: Step) -> Iterator[str]:
    body = entry.signed.body
    if isinstance(body, ActBody | KeyRevocation):
        does, particulars = stated(body, agreement)
        yield f"{_authors(agreement, entry)} {does}."
        yield from particulars
        return
    stage = body.stage if isinstance(body, Event | DecisionStatement) else None
    yield f"{body.person} {EVENTS[step.event].format(stage=f'stage {stage}' if stage else 'the claim')}."
    yield from _details(body)


def _authors(agreement: Agreement, entry: Entry) -> str:
    """Return everyone who signed, the author first."""
    author, signers = entry.signed.body.person, entry.signed.signers
    signed = [person for person in agreement.persons if person.signing_key in signers]
    named = [f"{quoted(one.name)} ({one.id})" for one in sorted(signed, key=lambda one: one.id != author)]
    return joined(named or [author], "and")


def _details(body: object) -> Iterator[str]:
    match body:
        case Notice():
            for one in body.channels:
                taken = "delivered" if one.taken else "not delivered"
                yield f"{one.kind} {quoted(one.address)}: {taken}; {quoted(one.detail)}"
        case DecisionStatement():
            for premise in body.premises:
                if not premise.holds:
                    yield f"because of {premise.premise}: {premise.found}"
        case Event():
            yield from body.because
        case _:
            return


def counted_days(grounds: Grounds) -> Section:
    """Return each deadline with the days that were counted, as far as the calendars reach."""
    known, beyond = known_deadlines(grounds.agreement, grounds.claim, grounds.as_of)
    rows = ((one.words, instant_text(one.at), one.explanation) for one in known)
    return section(
        "Deadlines, and how they were counted",
        table(("Deadline", "Ends", "Why"), (3, 3, 8), rows) if known else "No deadline runs or has run.",
        *(error.message for error in beyond),
    )
