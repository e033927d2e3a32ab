"""The ledger beside a bare insert, and evidence beside its signatures alone."""

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import envelope_bytes
from tallystick.crypto.keys import verifies
from tallystick.domain.ids import Digest
from tallystick.proof import reading
from tallystick.proof.evidence.verify import verify
from tallystick.store.database.session import transaction
from tests.bench.floor import Inserts
from tests.bench.measuring import Row, milliseconds, race
from tests.support.worlds.agreements import signing_key
from tests.support.worlds.ledgers import add, new_engine, said

APPENDS: Final = 60
VERIFICATIONS: Final = 9
_MESSAGE: Final = bytes(700)
"""As long as a usual statement."""


def measure_append(folder: Path) -> list[Row]:
    """Return the row about the ledger; both tables lie on the same disk."""
    folder.mkdir()
    database, inserts = new_engine(folder), Inserts(folder / "floor.db")
    envelopes = [said("event", number, explanation="x" * 500) for number in range(APPENDS + 5)]
    ours, floor = list[float](), list[float]()
    for place, envelope in enumerate(envelopes):
        begun = time.perf_counter()
        with transaction(database) as session:
            add(session, envelope)
        between = time.perf_counter()
        inserts.insert(envelope_bytes(envelope))
        if place >= len(envelopes) - APPENDS:
            ours.append(between - begun)
            floor.append(time.perf_counter() - between)
    database.dispose()
    inserts.close()
    return [
        Row(
            what="ledger append: row, leaf and tree in one durable transaction",
            ours=milliseconds(ours),
            floor=f"{milliseconds(floor)}: one durable insert",
            ratios=[one / other for one, other in zip(ours, floor, strict=True)],
        )
    ]


def measure_evidence(data: bytes, trust: Digest) -> list[Row]:
    """Return the row about verifying an evidence file offline, from nothing remembered."""
    signatures = sum(1 for _ in _signatures(json.loads(data)))
    key = signing_key("bench")
    signature = key.sign(_MESSAGE)

    def ours() -> None:
        reading.forget()
        report = verify(data, trust=trust)
        assert report.holds, report.broken

    def floor() -> None:
        for _ in range(signatures):
            assert verifies(key.public_key, _MESSAGE, signature)

    times = race({"ours": ours, "floor": floor}, rounds=VERIFICATIONS)
    entries = len(json.loads(data)["case"]["entries"])
    rate = entries / statistics.median(times["ours"])
    return [
        Row(
            what=f"verifying a released claim's evidence: {entries} entries, {len(data) // 1000} kB",
            ours=f"{milliseconds(times['ours'])}, {rate:.0f} entries/s",
            floor=f"{milliseconds(times['floor'])}: its {signatures} Ed25519 signatures alone",
            ratios=[one / other for one, other in zip(times["ours"], times["floor"], strict=True)],
        )
    ]


def _signatures(found: object) -> Iterator[object]:
    """Yield every signature anywhere in a JSON document."""
    if isinstance(found, dict):
        for name, member in found.items():  # pyright: ignore[reportUnknownVariableType]
            if name == "sig":
                yield member
            yield from _signatures(member)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(found, list):
        for item in found:  # pyright: ignore[reportUnknownVariableType]
            yield from _signatures(item)  # pyright: ignore[reportUnknownArgumentType]
