"""What is looked up in a claim's record again and again: it grows with the record, entry by entry.

A record of thousands of entries is folded one by one; without this, each of them would go through all before.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.signed import BY_ENGINE, Body, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How often the gate was asked about any stage, and when first and last, by the worker's clock."""

    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """The entries of a record, by what is asked for.

    Attributes:
        by_statement: The entry of each statement; no record has one twice.
        by_body: The entries by the type of their body, with that body, in ledger order.
        by_signer: The entries that each key has signed.
        last_index: The highest index in the ledger.
        last_act: The latest entry that a person signed; None in an empty record.
        asked: How often the gate was asked; None while it never was.
    """

    by_statement: Mapping[Digest, Entry] = field(default_factory=dict[Digest, Entry])
    by_body: Mapping[type[Body], tuple[tuple[Entry, Body], ...]] = field(
        default_factory=dict[type[Body], tuple[tuple[Entry, Body], ...]]
    )
    by_signer: Mapping[PublicKey, tuple[Entry, ...]] = field(
        default_factory=dict[PublicKey, tuple[Entry, ...]]
    )
    last_index: int = -1
    last_act: Entry | None = None
    asked: Asked | None = None
    hashed: Any = field(default_factory=hashlib.sha256)  # hashlib's own type has no public name

    @property
    def digest(self) -> Digest:
        """SHA-256 over the record: a line for each entry, its time and its id."""
        return Digest(f"sha256:{self.hashed.hexdigest()}")

    def plus(self, entry: Entry) -> "Lookups":
        """Return these with one more entry."""
        signed, by_body, by_signer = entry.signed, dict(self.by_body), dict(self.by_signer)
        form, hashed = type(signed.body), self.hashed.copy()
        by_body[form] = (*by_body.get(form, ()), (entry, signed.body))
        for key in signed.signers:
            by_signer[key] = (*by_signer.get(key, ()), entry)
        hashed.update(f"{instant_text(entry.accepted_at)} {signed.id}\n".encode())
        return Lookups(
            by_statement={**self.by_statement, signed.id: entry},
            by_body=by_body,
            by_signer=by_signer,
            last_index=max(self.last_index, entry.index),
            last_act=self.last_act if signed.kind in BY_ENGINE else entry,
            asked=self._asked_with(entry),
            hashed=hashed,
        )

    def _asked_with(self, entry: Entry) -> Asked | None:
        match entry.signed.body, self.asked:
            case Event(happening=Happening.QUORUM_REACHED), None:
                return Asked(times=1, first_at=entry.accepted_at, last_at=entry.accepted_at)
            case Event(happening=Happening.QUORUM_REACHED), Asked() as before:
                return replace(before, times=before.times + 1, last_at=entry.accepted_at)
            case _, before:
                return before


def lookups_of(entries: Iterable[Entry]) -> Lookups:
    """Return the look-ups of a whole record."""
    found = Lookups()
    for entry in entries:
        found = found.plus(entry)
    return found
