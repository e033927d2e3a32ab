"""Any file gets its verdict soon and in little memory: what it holds is counted before it is built."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tallystick.limits.logs import (
    EVIDENCE_ENTRIES_MAX,
    EVIDENCE_ENTRY_BYTES_MAX,
    EVIDENCE_SIZE_BYTES_MAX,
    EVIDENCE_UNNAMED_SIGNATURES_MAX,
)
from tests.support.verdicts import verdict_on

SIZE: Final = EVIDENCE_SIZE_BYTES_MAX

BEFORE: Final = b'{"case":{"agreement_digest":"","checkpoint":"","claim":"","deployment":{},"entries":['
AFTER: Final = b'],"schema":"tallystick.evidence/v1"},"evidence":{}}'
SIGNATURE: Final = b'{"sig":"' + 86 * b"A" + b'=="}'


def filled(piece: bytes, size: int = SIZE) -> bytes:
    return piece * (size // len(piece))


def inside(entries: bytes) -> bytes:
    return BEFORE + entries + AFTER


def entry(signatures: bytes = b"", payload: bytes = b"QUFB") -> bytes:
    return (
        b'{"accepted_at":"2026-11-24T09:00:00Z","envelope":{"payload":"' + payload + b'",'
        b'"payloadType":"application/vnd.tallystick.hold.v1+json","signatures":[' + signatures + b"]},"
        b'"index":0,"proof":[],"salt":"' + 43 * b"A" + b'="}'
    )


HOSTILE: Final[dict[str, Callable[[], bytes]]] = {
    "zeros": lambda: bytes(SIZE),
    "more zeros than a file may have": lambda: bytes(100_000_000),
    "deep": lambda: filled(b"["),
    "deep in an entry": lambda: inside(filled(b"[", SIZE - 1000)),
    "empty lists": lambda: inside(filled(b"[],", SIZE - 1000)),
    "numbers": lambda: inside(filled(b"0,", SIZE - 1000)),
    "empty texts": lambda: inside(filled(b'"",', SIZE - 1000)),
    "objects": lambda: inside(filled(b'{"a":0},', SIZE - 1000)),
    "one entry with many members": lambda: inside(b"{" + filled(b'"a":0,', SIZE - 1000) + b'"b":0}'),
    "one long text": lambda: inside(b'{"a":"' + filled(b"a", SIZE - 1000) + b'"}'),
    "a text outside the entries": lambda: b'{"case":"' + filled("\U0001f600".encode(), SIZE - 1000) + b'"}',
    "escapes": lambda: inside(b'{"a":"' + filled(b"\\u0041", SIZE - 1000) + b'"}'),
    "quotes without an end": lambda: filled(b'"\\'),
    "digits": lambda: filled(b"9"),
    "entries of the largest size": lambda: inside(
        filled(entry(payload=filled(b"QUFB", EVIDENCE_ENTRY_BYTES_MAX - 1000)) + b",", SIZE - 1000)[:-1]
    ),
    "more entries than a file may have": lambda: inside(b",".join([entry()] * (EVIDENCE_ENTRIES_MAX + 1))),
    "values of two letters": lambda: inside(
        b",".join([entry(payload=base64.b64encode(b'{"a":[' + b",".join([b'"ab"'] * 4000) + b"]}"))] * 1000)
    ),
    "signatures that name no key": lambda: inside(
        b",".join([entry(b",".join([SIGNATURE] * 16))] * (EVIDENCE_UNNAMED_SIGNATURES_MAX // 16 + 1))
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_its_verdict_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    file.write_bytes(HOSTILE[name]())
    verdict = verdict_on(file)
    file.unlink()
    assert not verdict.holds
    assert verdict.is_soon_and_small(), verdict
