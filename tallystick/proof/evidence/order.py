"""The premise that the record could have come about: each statement once, and after what it names."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final

from tallystick.crypto.envelope import kind_of, statement_id
from tallystick.domain.amounts import counted
from tallystick.domain.codec import instant_text
from tallystick.domain.statements.signed import BY_GATE
from tallystick.limits.documents import CLOCK_SKEW_MAX
from tallystick.proof.evidence.established import Established, EvidenceBrokenError
from tallystick.proof.evidence.file import FiledEntry

_DIGEST: Final = re.compile(rb'"(sha256:[0-9a-f]{64})"')


def order_possible(known: Established) -> str:
    """Establish that each statement is there once, after all that it names, and not before it was issued.

    Times of acceptance grow with the index, as far as clocks agree. The gate accepts its own statements by
    its own clock, which may be ahead, so later times are not compared with those of the gate's statements.
    """
    entries = known.document.exported.entries
    places = {statement_id(entry.envelope).encode(): entry.index for entry in entries}
    if len(places) != len(entries):
        raise EvidenceBrokenError("a statement is in the log twice", entries=len(entries), found=len(places))
    for entry in entries:
        _check_named_before(entry, places)
        if (signed := known.signed.get(entry.index)) is not None:
            _check_issued(entry, signed.body.issued_at)
    _check_growing(entries)
    return f"{counted(len(entries), 'entry', 'entries')}, each after what it names"


def _check_named_before(entry: FiledEntry, places: Mapping[bytes, int]) -> None:
    # A digest is written in one way, so a whole text that is one stands between quotes in the signed bytes.
    for named in _DIGEST.findall(entry.envelope.payload):
        if places.get(named, -1) >= entry.index:
            raise EvidenceBrokenError(
                "a statement names one that was recorded later", index=entry.index, names=places[named]
            )


def _check_issued(entry: FiledEntry, issued_at: datetime) -> None:
    if entry.accepted_at < issued_at - CLOCK_SKEW_MAX:
        raise EvidenceBrokenError(
            "a statement was accepted before it was issued",
            index=entry.index,
            accepted_at=instant_text(entry.accepted_at),
            issued_at=instant_text(issued_at),
        )


def _check_growing(entries: Iterable[FiledEntry]) -> None:
    for earlier, later in pairwise(entry for entry in entries if kind_of(entry.envelope) not in BY_GATE):
        if later.accepted_at < earlier.accepted_at - CLOCK_SKEW_MAX:
            raise EvidenceBrokenError(
                "the times in the log go back",
                index=later.index,
                accepted_at=instant_text(later.accepted_at),
                before=instant_text(earlier.accepted_at),
            )
