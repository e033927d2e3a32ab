"""Telling the parties of copies that were lost or altered: whom, of what, when again, and in which words.

Whoever has deposited something, or relies on it, learns what became of it from more than
a ledger that nobody reads. Who was told follows from the record alone, so that a
restart, or a second worker, tells nobody twice of the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.pauses import backoff
from tallystick.domain.statements.engine import Event, StorageNotice
from tallystick.domain.statements.signed import Entry
from tallystick.limits import NOTICE_RETRY_MIN, STORAGE_NOTICE_FINDINGS_MAX, STORAGE_NOTICE_RETRY_MAX

_TOLD: Final = (Role.DEPOSITOR, Role.BENEFICIARY, Role.ESCROW_AGENT)
_FINDINGS: Final = frozenset({Happening.REPLICA_LOST, Happening.REPLICA_REPAIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A letter that is owed to a party.

    Attributes:
        attempt: Which letter of this kind to the party it is.
        findings: What it tells of, oldest first; what does not fit is owed next.
        due_at: From when; later each time that no channel took one.
    """

    party: Party
    attempt: int
    findings: tuple[tuple[Digest, Event], ...]
    due_at: datetime


def owed(agreement: Agreement, entries: Iterable[Entry]) -> tuple[Owed, ...]:
    """Return the letters that are owed under an agreement, one a party at most.

    A party without a channel is owed none: there is no way to it.

    Args:
        agreement: The newest version: its channels are the ones that are in use.
        entries: What is on record about no claim, verified, in ledger order.
    """
    record = tuple(entries)
    parties = [party for role in _TOLD for party in agreement.parties_in(role) if party.channels]
    return tuple(found for party in parties for found in _owed_to(party, record))


def subject(agreement: Agreement) -> str:
    """Return the letter's subject, on one line."""
    return f"Notice of damaged copies under {agreement.id}"


def letter(agreement: Agreement, due: Owed) -> str:
    """Return the letter as plain text; the same findings give the same letter."""
    lines = (
        f"To {due.party.name}.",
        "",
        "Copies of files that are stored under",
        f"{agreement.title} ({agreement.id}, version {agreement.version})",
        "were found missing or altered when they were read again.",
        "",
        *(line for _, event in due.findings for line in _found(event)),
        "A file of which no copy is good cannot be released until a good one is put back: the depositor can",
        "bring the very same bytes, or make a new deposit. Of a file that was replaced nothing is lost.",
        "",
        f"To see the record: tallystick ledger verify {agreement.id} --key YOUR.key",
        f"Questions: {agreement.communications.support}",
        "This letter was sent by the escrow engine; only what is signed counts, and this text's digest is.",
    )
    return "\n".join(lines) + "\n"


def _owed_to(party: Party, entries: Sequence[Entry]) -> Iterator[Owed]:
    sent = [(entry, body) for entry, body in _sent(entries) if body.party == party.id]
    told = {finding for _, body in sent if _taken(body) for finding in body.findings}
    untold = [(entry, event) for entry, event in _findings(entries) if entry.signed.id not in told]
    if untold:
        yield Owed(
            party=party,
            attempt=len(sent) + 1,
            findings=tuple((entry.signed.id, event) for entry, event in untold[:STORAGE_NOTICE_FINDINGS_MAX]),
            due_at=_due_at(untold[0][0], sent),
        )


def _due_at(first: Entry, sent: Sequence[tuple[Entry, StorageNotice]]) -> datetime:
    """Return from when to write: only people end it, by mending a channel or agreeing on another."""
    failed = sum(1 for _ in takewhile(lambda one: not _taken(one[1]), reversed(sent)))
    if not failed:
        return first.accepted_at
    return sent[-1][0].accepted_at + backoff(failed, NOTICE_RETRY_MIN, STORAGE_NOTICE_RETRY_MAX)


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


def _found(event: Event) -> Iterator[str]:
    lost = event.happening is Happening.REPLICA_LOST
    yield f"{instant_text(event.issued_at)}  {'NOT REPLACED' if lost else 'replaced'}"
    yield from (f"    {line}" for line in event.because)
    yield ""
