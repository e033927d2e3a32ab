"""A claim's record as the server shows it, page by page; nothing here verifies it."""

from collections.abc import Iterable, Iterator, Sequence

from tallystick.client.answers import answer, envelope_in, member, number, objects, text
from tallystick.client.http import Client
from tallystick.client.lists import Counted
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.route import route
from tallystick.crypto.envelope import note_size
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.codec import instant
from tallystick.domain.json import JsonObject
from tallystick.limits.client import RECORD_ANSWER_BYTES_MAX, RECORD_VALUES_MAX
from tallystick.limits.documents import JSON_NODES_MAX
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIZE_BYTES_MAX
from tallystick.proof.entries import RecordedStatement
from tallystick.proof.work import check_work


def record_shown(client: Client, claim: str) -> Iterator[JsonObject]:
    """Yield the entries of the record of `claim` (short id or digest); no more than one page is held.

    Raises:
        UnexpectedAnswerError: A page does not lead to the next one, or the pages are longer than any record.
        TallystickError: The server refused or did not answer.
    """
    shown, counted = 0, Counted(size_bytes_max=EVIDENCE_SIZE_BYTES_MAX, values_max=RECORD_VALUES_MAX)
    while True:
        page = _page(client, claim, shown, counted)
        entries, begun = objects(page, "entries"), shown
        yield from entries
        shown += len(entries)
        if page.get("next") is None:
            return
        if not begun < shown == number(page, "next"):
            raise UnexpectedAnswerError("a page of the record does not lead to the next one", entries=shown)


def _page(client: Client, claim: str, start: int, counted: Counted) -> JsonObject:
    path, parameters = route("claims", claim, "record"), {"start": start}
    raw = client.get_bytes(path, size_bytes_max=RECORD_ANSWER_BYTES_MAX, parameters=parameters)
    counted.add(raw)
    return answer(raw, nodes_max=JSON_NODES_MAX)


def recorded(entries: Iterable[JsonObject]) -> Sequence[RecordedStatement]:
    """Return the statements in the entries of a record, if anyone can verify so many.

    Raises:
        UnexpectedAnswerError: More than a record has, or an entry lacks something.
        TooMuchToVerifyError: More work than a record makes for its verifier.
        MalformedError: What stands for an envelope is not one.
    """
    found = list[RecordedStatement]()
    for entry in entries:
        if len(found) >= EVIDENCE_ENTRIES_MAX:
            raise UnexpectedAnswerError("the record is too long", limit=EVIDENCE_ENTRIES_MAX)
        found.append(_recorded(entry))
    check_work([one.envelope for one in found])
    return found


def _recorded(entry: JsonObject) -> RecordedStatement:
    envelope = envelope_in(entry, "envelope")
    note_size(envelope, len(canonical_bytes(member(entry, "envelope"))))  # its text is not kept
    return RecordedStatement(
        index=number(entry, "index"),
        accepted_at=instant(text(entry, "accepted_at"), "accepted_at"),
        envelope=envelope,
    )
