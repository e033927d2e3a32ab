"""An agreement's log as the server shows it, page by page or one statement; nothing here verifies it."""

from collections.abc import Iterator
from functools import partial

from tallystick.client.answers import envelope_in, number, objects
from tallystick.client.http import Client
from tallystick.client.outage import outlasting
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.json import JsonObject
from tallystick.limits.logs import LEDGER_PAGE_ENTRIES_MAX, LEDGER_PAGES_MAX


def entries(client: Client, agreement: AgreementId) -> Iterator[JsonObject]:
    """Yield every entry that the server shows, in ledger order.

    Raises:
        UnexpectedAnswerError: The entries are out of order, or do not end.
    """
    path, after = route("agreements", agreement, "ledger", "entries"), None
    for _ in range(LEDGER_PAGES_MAX):
        ask = partial(client.get, path, after=after)
        page = objects(outlasting(ask, client.pause), "entries")
        for entry in page:
            index = number(entry, "index")
            if after is not None and index <= after:
                raise UnexpectedAnswerError("the ledger's entries are out of order", index=index)
            after = index
            yield entry
        if len(page) < LEDGER_PAGE_ENTRIES_MAX:
            return  # the last one: a server that sends entries one by one keeps nobody waiting for days
    raise UnexpectedAnswerError(
        "the server sends entries of the ledger without an end", pages=LEDGER_PAGES_MAX
    )


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
