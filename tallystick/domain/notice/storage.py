"""Letters to the parties about what is wrong with what is stored: to whom, about what, when, and the text.

Copies may be lost or altered, and the log may not be the one that somebody had verified. Those who rely on
either should not have to read the ledger to learn of it. Which letters were sent follows from the record
alone, so a restart or a second worker sends no letter twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest
from tallystick.domain.instants import plus
from tallystick.domain.kinds import Happening
from tallystick.domain.pauses import backoff
from tallystick.domain.quoting import one_line, quoted
from tallystick.domain.statements.engine import Event, StorageNotice
from tallystick.domain.statements.signed import Entry
from tallystick.limits.notices import STORAGE_NOTICE_FINDINGS_MAX, STORAGE_NOTICE_RETRY_MAX
from tallystick.limits.steps import NOTICE_RETRY_MIN

_RECIPIENTS: Final = (Role.DEPOSITOR, Role.BENEFICIARY, Role.ESCROW_AGENT)
_COPIES: Final = frozenset({Happening.REPLICA_LOST, Happening.REPLICA_REPAIRED})
_FINDINGS: Final = _COPIES | {Happening.LEDGER_NOT_EXTENDED, Happening.LEDGER_DAMAGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedLetter:
    """A letter that is owed to a party.

    Attributes:
        attempt: The number of this letter among those of its kind to the party.
        findings: The events that it reports, oldest first; those that do not fit go into the next letter.
        due_at: When to send it; each time that no channel accepts one, the next is due later.
    """

    party: Party
    attempt: int
    findings: tuple[tuple[Digest, Event], ...]
    due_at: datetime


def owed_letters(agreement: Agreement, entries: Iterable[Entry]) -> tuple[OwedLetter, ...]:
    """Return the letters that are owed under an agreement, at most one for each party.

    A party without a channel is owed none: nothing can reach it.

    Args:
        agreement: The newest version: notices go to its channels.
        entries: The verified entries that are about no claim, in ledger order.
    """
    record = tuple(entries)
    parties = [party for role in _RECIPIENTS for party in agreement.parties_in(role) if party.channels]
    return tuple(letter for party in parties for letter in _owed_to(party, record))


def still_needed(agreement: Agreement, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return those of the entries by which later letters are owed: all others may be forgotten.

    They are what was not reported to every party yet, and each party's letters since the last that was taken.

    Args:
        agreement: As for `owed_letters`.
        entries: As for `owed_letters`, or those of them that were needed before, and all later ones.
    """
    record = tuple(entries)
    parties = [party for role in _RECIPIENTS for party in agreement.parties_in(role) if party.channels]
    needed = {entry.index for party in parties for entry in _needed_for(party, record)}
    return tuple(entry for entry in record if entry.index in needed)


def _needed_for(party: Party, entries: Sequence[Entry]) -> Iterator[Entry]:
    sent = _sent_to(party, entries)
    last_taken = max((entry.index for entry, body in sent if _taken(body)), default=-1)
    yield from (entry for entry, _ in sent if entry.index >= last_taken)
    yield from (entry for entry, _ in _unreported(entries, sent))


def storage_subject(agreement: Agreement) -> str:
    """Return the letter's subject, on one line."""
    return f"Notice of damage to what is stored under {agreement.id}"


def storage_letter(agreement: Agreement, due: OwedLetter) -> str:
    """Return the letter as plain text; the same findings give the same letter."""
    events = [event for _, event in due.findings]
    lines = (
        f"To {quoted(due.party.name)}.",
        "",
        "This is about what is stored under",
        f"{quoted(agreement.title)} ({agreement.id}, version {agreement.version}).",
        "",
        *_copies([event for event in events if event.happening in _COPIES]),
        *_logs([event for event in events if event.happening is Happening.LEDGER_NOT_EXTENDED]),
        *_damage([event for event in events if event.happening is Happening.LEDGER_DAMAGED]),
        f"To see the record: tallystick ledger verify {agreement.id} --key YOUR.key",
        f"Questions: {quoted(agreement.communications.support)}",
        "The escrow engine sent this letter. Only signed statements are binding; the signed notice has this",
        "text's digest.",
    )
    return "\n".join(lines) + "\n"


def _owed_to(party: Party, entries: Sequence[Entry]) -> Iterator[OwedLetter]:
    sent = _sent_to(party, entries)
    unreported = _unreported(entries, sent)
    if unreported:
        fitting = unreported[:STORAGE_NOTICE_FINDINGS_MAX]
        yield OwedLetter(
            party=party,
            attempt=sent[-1][1].attempt + 1 if sent else 1,
            findings=tuple((entry.signed.id, event) for entry, event in fitting),
            due_at=_due_at(unreported[0][0], sent),
        )


def _sent_to(party: Party, entries: Iterable[Entry]) -> Sequence[tuple[Entry, StorageNotice]]:
    return [(entry, body) for entry, body in _sent(entries) if body.party == party.id]


def _unreported(
    entries: Iterable[Entry], sent: Iterable[tuple[Entry, StorageNotice]]
) -> Sequence[tuple[Entry, Event]]:
    reported = {finding for _, body in sent if _taken(body) for finding in body.findings}
    return [(entry, event) for entry, event in _findings(entries) if entry.signed.id not in reported]


def _due_at(first: Entry, sent: Sequence[tuple[Entry, StorageNotice]]) -> datetime:
    """Return when to write next; letters continue until people repair a channel or agree on another."""
    failed = sum(1 for _ in takewhile(lambda one: not _taken(one[1]), reversed(sent)))
    if not failed:
        return first.accepted_at
    return plus(sent[-1][0].accepted_at, backoff(failed, NOTICE_RETRY_MIN, STORAGE_NOTICE_RETRY_MAX))


def _taken(notice: StorageNotice) -> bool:
    return any(channel.taken for channel in notice.channels)


def _sent(entries: Iterable[Entry]) -> Iterator[tuple[Entry, StorageNotice]]:
    for entry in entries:
        if isinstance(entry.signed.body, StorageNotice):
            yield entry, entry.signed.body


def _findings(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Event]]:
    for entry in entries:
        body = entry.signed.body
        if isinstance(body, Event) and body.happening in _FINDINGS and body.claim is None:
            yield entry, body


def _copies(events: Sequence[Event]) -> Iterator[str]:
    if events:
        yield "Copies of files were found missing or altered when they were read again."
        yield ""
        yield from (line for event in events for line in _event_lines(event))
        yield "A file without any good copy cannot be released until one is put back: the depositor can"
        yield "upload the same bytes again, or make a new deposit. A claim's evidence document without any"
        yield "good copy cannot be read: whoever filed the claim can send it again (tallystick claim resend),"
        yield "and a reader who has not read it can object to the claim, or deny it. What was replaced is not"
        yield "lost."
        yield ""


def _logs(events: Sequence[Event]) -> Iterator[str]:
    if events:
        yield "The log is not as these persons had verified it before they signed. What only stops a release,"
        yield "or revokes a key, counts all the same."
        yield ""
        yield from (line for event in events for line in _event_lines(event))
        yield "Either they are mistaken, or entries of the log were lost or replaced: an older copy of it may"
        yield "have taken its place. Compare the checkpoints in your trust files, and ask for the whole log."
        yield ""


def _damage(events: Sequence[Event]) -> Iterator[str]:
    if events:
        yield "The stored log is not what was signed: an entry, or what it is found by, was altered or lost."
        yield ""
        yield from (line for event in events for line in _event_lines(event))
        yield "Nothing is released under this agreement until the whole log is put back. Keep your trust file"
        yield "and your evidence files: they show what the log was."
        yield ""


_WORDS: Final = MappingProxyType(
    {
        Happening.REPLICA_LOST: "NOT REPLACED",
        Happening.REPLICA_REPAIRED: "replaced",
        Happening.LEDGER_NOT_EXTENDED: "ANOTHER LOG",
        Happening.LEDGER_DAMAGED: "DAMAGED",
    }
)


def _event_lines(event: Event) -> Iterator[str]:
    yield f"{instant_text(event.issued_at)}  {_WORDS[event.happening]}"
    yield from (f"    {one_line(line)}" for line in event.because)
    yield ""
