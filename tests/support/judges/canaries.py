"""Finding a secret wherever it lies and however it is written, also among the values of a SQLite file."""

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SQLITE: Final = b"SQLite format 3\x00"
SECRET_BYTES_MIN: Final = 16
"""Shorter ones are found by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A secret that was found, how it was written, and where."""

    secret: str
    form: str
    where: str


def forms(secret: bytes) -> Mapping[str, bytes]:
    """Return every way in which the secret may be written, as text too if it is text."""
    assert len(secret) >= SECRET_BYTES_MIN
    forms = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    forms |= {"hex with colons": secret.hex(":").encode(), "reversed": secret[::-1]}
    for skipped in range(3):
        for name, encoded in (
            ("base64", base64.b64encode(bytes(skipped) + secret)),
            ("base64url", base64.urlsafe_b64encode(bytes(skipped) + secret)),
        ):
            forms[f"{name} after {skipped}"] = _inner(encoded, skipped, len(secret))
    forms["base32"] = base64.b32encode(secret).rstrip(b"=")
    latin = secret.decode("latin-1")
    forms["JSON-escaped"] = json.dumps(latin)[1:-1].encode()
    forms["JSON in JSON"] = json.dumps(json.dumps(latin))[3:-3].encode()
    forms["as Python shows it"] = repr(secret)[2:-1].encode()
    forms["as UTF-8"] = latin.encode()
    forms["a list of numbers"] = ", ".join(map(str, secret)).encode()
    forms["a list of numbers, close"] = ",".join(map(str, secret)).encode()
    for name in ("raw", "hex", "base64 after 0"):
        forms[f"{name}, UTF-16"] = forms[name].decode("latin-1").encode("utf-16-le")
    return forms


def _inner(encoded: bytes, skipped: int, size: int) -> bytes:
    """Cut off the characters that depend on the bytes before or after the secret as well."""
    first = -(-8 * skipped // 6)
    last = 8 * (skipped + size) // 6
    return encoded[first:last]


def leaks(secrets: Mapping[str, bytes], places: Iterable[tuple[str, bytes]]) -> list[Leak]:
    """Return every secret that is in any of the places, in any form."""
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    return [
        Leak(secret=name, form=form, where=where)
        for where, data in places
        for name, written in wanted.items()
        for form, needle in written.items()
        if needle in data
    ]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file, and of a SQLite file every value as well: a long one lies in pieces there."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        where, data = path.relative_to(folder).as_posix(), path.read_bytes()
        yield where, where.encode() + b"\n" + data
        if data.startswith(_SQLITE):
            yield f"{where} (values)", b"\n".join(_values(path))


def _values(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table.decode()}"'):  # noqa: S608 - names of its own
                yield b"\x1f".join(_written(value) for value in row)


def _written(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
