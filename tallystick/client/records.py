"""A claim's record as the server shows it, page by page; nothing here verifies it."""

from collections.abc import Sequence

from tallystick.client.answers import answer, envelope_in, number, objects, text
from tallystick.client.http import Client
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.route import route
from tallystick.domain.codec import instant
from tallystick.domain.json import JsonObject
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIZE_BYTES_MAX
from tallystick.proof.entries import RecordedStatement


def record_shown(client: Client, claim: str) -> Sequence[JsonObject]:
    """Return the entries of the record of `claim` (short id or digest), from all of its pages.

    Raises:
        UnexpectedAnswerError: A page does not lead to the next one, or the pages are longer than any record.
        TallystickError: The server refused or did not answer.
    """
    entries: list[JsonObject] = []
    read_bytes = 0
    while True:
        begun = len(entries)
        raw = client.get_bytes(route("claims", claim, "record"), parameters={"start": begun})
        read_bytes += len(raw)
        page = answer(raw)
        entries += objects(page, "entries")
        if page.get("next") is None:
            return entries
        if not begun < len(entries) == number(page, "next"):
            raise UnexpectedAnswerError(
                "a page of the record does not lead to the next one", entries=len(entries)
            )
        if read_bytes > EVIDENCE_SIZE_BYTES_MAX:
            raise UnexpectedAnswerError("the record is too long", limit=EVIDENCE_SIZE_BYTES_MAX)


def recorded(entries: Sequence[JsonObject]) -> Sequence[RecordedStatement]:
    """Return the statements in the entries of a record.

    Raises:
        UnexpectedAnswerError: More than a record has, or an entry lacks something.
        MalformedError: What stands for an envelope is not one.
    """
    if len(entries) > EVIDENCE_ENTRIES_MAX:
        raise UnexpectedAnswerError("the record is too long", limit=EVIDENCE_ENTRIES_MAX)
    return list(map(_recorded, entries))


def _recorded(entry: JsonObject) -> RecordedStatement:
    return RecordedStatement(
        index=number(entry, "index"),
        accepted_at=instant(text(entry, "accepted_at"), "accepted_at"),
        envelope=envelope_in(entry, "envelope"),
    )
