"""An agreement's log as the server shows it, page by page or one statement; nothing here verifies it."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from tallystick.client.answers import answer, envelope_in, number, objects
from tallystick.client.http import Client
from tallystick.client.outage import outlasting
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.json import JsonObject
from tallystick.limits.documents import JSON_NODES_MAX
from tallystick.limits.logs import (
    LEDGER_PAGE_BYTES_MAX,
    LEDGER_PAGE_ENTRIES_MAX,
    LEDGER_PAGE_FULL_BYTES,
    LEDGER_PAGES_MAX,
)

_PAGE_BYTES_MAX: Final = 2 * LEDGER_PAGE_BYTES_MAX  # of an answer, which says more than the envelopes


def entries(client: Client, agreement: AgreementId) -> Iterator[JsonObject]:
    """Yield every entry that the server shows, in ledger order; no more than one page is held.

    Raises:
        UnexpectedAnswerError: The entries are out of order, or do not end.
    """
    after = None
    for _ in range(LEDGER_PAGES_MAX):
        page, full = _page(client, agreement, after)
        for entry in page:
            index = number(entry, "index")
            if after is not None and index <= after:
                raise UnexpectedAnswerError("the ledger's entries are out of order", index=index)
            after = index
            yield entry
        if not full:
            return  # the last one: a server that sends entries one by one keeps nobody waiting for days
    raise UnexpectedAnswerError(
        "the server sends entries of the ledger without an end", pages=LEDGER_PAGES_MAX
    )


def _page(client: Client, agreement: AgreementId, after: int | None) -> tuple[Sequence[JsonObject], bool]:
    """Return a page of entries, and whether it is as full as one is that others follow."""
    parameters = {} if after is None else {"after": after}
    path = route("agreements", agreement, "ledger", "entries")
    ask = partial(client.get_bytes, path, size_bytes_max=_PAGE_BYTES_MAX, parameters=parameters)
    raw, page = outlasting(lambda: _read(ask()), client.pause)
    return page, len(page) >= LEDGER_PAGE_ENTRIES_MAX or len(raw) >= LEDGER_PAGE_FULL_BYTES


def _read(raw: bytes) -> tuple[bytes, Sequence[JsonObject]]:
    return raw, objects(answer(raw, nodes_max=JSON_NODES_MAX), "entries")


def ledger_entry(client: Client, agreement: AgreementId, statement: Digest) -> Envelope:
    """Return the envelope of one statement on record; its signatures are not verified.

    Raises:
        UnexpectedAnswerError: The server shows another statement.
        TallystickError: It is not on record, or the server did not answer.
    """
    entry = client.get(route("agreements", agreement, "ledger", "entries", statement))
    envelope = envelope_in(entry, "envelope")
    if (shown := statement_id(envelope)) != statement:
        raise UnexpectedAnswerError(
            "the server showed another statement than was asked for", statement=statement, shown=shown
        )
    return envelope
