"""What is looked up in a claim's record again and again: it grows with the record, entry by entry.

A record of thousands of entries is folded one by one; without this, each of them would go through all before.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.statements.signed import BY_ENGINE, Body, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """The entries of a record, by what is asked for.

    Attributes:
        by_statement: The entry of each statement; no record has one twice.
        by_body: The entries by the type of their body, with that body, in ledger order.
        by_signer: The entries that each key has signed.
        last_index: The highest index in the ledger.
        last_act: The latest entry that a person signed; None in an empty record.
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
            hashed=hashed,
        )


def lookups_of(entries: Iterable[Entry]) -> Lookups:
    """Return the look-ups of a whole record."""
    found = Lookups()
    for entry in entries:
        found = found.plus(entry)
    return found
