"""Hostile bytes, to every address that takes any: a typed refusal, no defect, and nothing changed.

The addresses come from the OpenAPI document, so that a new one is tried as well. The same
corpus is tried twice: as the envelope, and inside it, signed by people who may sign it.
"""

import gzip
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from api.http.openapi import codes_by_status
from tallystick.crypto.envelope import Envelope, cosign, envelope_bytes
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.ids import sha256_digest
from tallystick.domain.kinds import Kind
from tests.support.judges.statements_by_address import Spoken, in_window, kind_at, spoken
from tests.support.sites.service import Service, serving
from tests.support.worlds.agreements import DORA, PEOPLE
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World

Spoil = Callable[[bytes], bytes]


def with_member(member: bytes) -> Spoil:
    return lambda data: b"{" + member + b"," + data[1:]


def with_value(value: bytes) -> Spoil:
    return with_member(b'"a":' + value)


def first_name(data: bytes) -> bytes:
    return data[2 : data.index(b'"', 2)]


def twice(data: bytes) -> bytes:
    return with_member(b'"' + first_name(data) + b'":null')(data)


def twice_by_escape(data: bytes) -> bytes:
    name = first_name(data)
    return with_member(b'"\\u%04x%b":null' % (name[0], name[1:]))(data)


HOSTILE: Final[Mapping[str, Spoil]] = {
    "nothing": lambda _: b"",
    "spaces": lambda _: b"  \n",
    "null": lambda _: b"null",
    "a number": lambda _: b"1",
    "text": lambda data: json.dumps(data.decode()).encode(),
    "a list around it": lambda data: b"[" + data + b"]",
    "an empty object": lambda _: b"{}",
    "cut short": lambda data: data[:-1],
    "trailing data": lambda data: data + b"{}",
    "two values": lambda data: data + b"\n" + data,
    "a NUL after it": lambda data: data + b"\x00",
    "a member twice": twice,
    "a member twice, once escaped": twice_by_escape,
    "a prototype": with_member(b'"__proto__":{"a":1}'),
    "an empty name": with_member(b'"":1'),
    "an unknown member": with_member(b'"aaaa":1'),
    "a comment": lambda data: data.replace(b"{", b"{/* */", 1),
    "a trailing comma": lambda data: data[:-1] + b",}",
    "single quotes": lambda data: data.replace(b'"', b"'"),
    "NaN": with_value(b"NaN"),
    "minus infinity": with_value(b"-Infinity"),
    "1e400": with_value(b"1e400"),
    "a fraction": with_value(b"1.5"),
    "an exponent": with_value(b"1e0"),
    "minus zero": with_value(b"-0"),
    "a leading zero": with_value(b"01"),
    "two to the 53rd": with_value(b"9007199254740992"),
    "a huge integer": with_value(5000 * b"9"),
    "a tiny number": with_value(b"1e-999999999"),
    "an underscore": with_value(b"1_000"),
    "hexadecimal": with_value(b"0x10"),
    "other digits": with_value("١٢".encode()),
    "deep lists": with_value(30_000 * b"[" + 30_000 * b"]"),
    "deep objects": with_value(500 * b'{"a":' + b"1" + 500 * b"}"),
    "deep and never closed": with_value(20_000 * b"["),
    "many values": with_value(b"[" + 25_000 * b"1," + b"1]"),
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda data: data.decode().encode("utf-16-le"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "a lone surrogate": with_value(b'"\\ud800"'),
    "surrogates the wrong way round": with_value(b'"\\udc00\\ud800"'),
    "an encoded surrogate": with_value(b'"\xed\xa0\x80"'),
    "an overlong zero": with_value(b'"\xc0\x80"'),
    "past the end of Unicode": with_value(b'"\xf4\x90\x80\x80"'),
    "a stray continuation byte": with_value(b'"\x80"'),
    "an escaped NUL": with_value(b'"\\u0000"'),
    "a raw newline in text": with_value(b'"\n"'),
    "an unknown escape": with_value(b'"\\x41"'),
    "half an escape": with_value(b'"\\u12"'),
    "a carriage return in text": with_value(b'"\\r"'),
    "compressed": gzip.compress,
    "too large": lambda data: data[:-1] + 800 * 1024 * b" " + b"}",
}

SPACED: Final[Mapping[str, Spoil]] = {
    "spaces inside": lambda data: data.replace(b":", b": ", 1),
    "members in another order": lambda data: json.dumps(
        dict(reversed(json.loads(data).items())), separators=(",", ":")
    ).encode(),
    "a letter as an escape": lambda data: data.replace(data[2:3], b"\\u%04x" % data[2], 1),
    "a space before": lambda data: b" " + data,
}
"""What an envelope may be, for nobody signs its spelling, and a signed body may not."""


@pytest.fixture(scope="module")
def window(template: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return in_window(template.copied_to(tmp_path_factory.mktemp("window")))


@pytest.fixture
async def standing(window: World, tmp_path: Path) -> AsyncGenerator[Service]:
    """A claim in its objection window, when most kinds of act are allowed."""
    async with serving(window.copied_to(tmp_path)) as service:
        service.clock.now = ACKNOWLEDGED + timedelta(hours=1)
        yield service


async def document(service: Service) -> dict[str, Any]:
    return dict((await service.http.get("/v1/openapi.json")).json())


async def posts(service: Service) -> list[str]:
    paths = (await document(service))["paths"]
    return [path for path, operations in paths.items() if "post" in operations]


def address(service: Service, path: str) -> str:
    values = {"{claim}": service.world.claim, "{agreement}": service.world.agreement.id}
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path, f"say what {path} stands for"
    return path


def kept(world: World) -> str:
    """A digest of everything stored, whatever its layout in the database."""
    hashed = hashlib.sha256()
    with world.database.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        for line in raw.iterdump():
            hashed.update(line.encode())
    for path in sorted(world.folder.rglob("*")):
        if path.is_file() and not path.name.startswith("store.db"):
            hashed.update(str(path).encode() + path.read_bytes())
    return hashed.hexdigest()


def inside(said: Spoken, payload: bytes) -> bytes:
    """An envelope over any bytes, soundly signed."""
    envelope = Envelope(
        payload_type=f"application/vnd.tallystick.{said.kind}.v1+json", payload=payload, signatures=()
    )
    for person in said.signers:
        envelope = cosign(envelope, PEOPLE[person].signing_key)
    return envelope_bytes(envelope)


async def sends(service: Service, path: str, said: Spoken, data: bytes, **headers: str) -> httpx.Response:
    path = address(service, path).removeprefix("/v1")
    return await service.post(path, data, said.signers[0], **headers)


def check_refusal(answer: httpx.Response, what: str, statuses: set[int]) -> None:
    told = f"{what}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code in statuses, told
    assert answer.headers["content-type"] == "application/problem+json", told
    assert answer.json()["status"] == answer.status_code, told
    assert answer.json()["code"] in codes_by_status()[answer.status_code], told


# After these the claim is over, and after the last the agreement is another.
COMES_LATE = {Kind.RULING: 1, Kind.JOINT_INSTRUCTION: 1, Kind.WITHDRAWAL: 1, Kind.AGREEMENT: 2}


async def test_the_corpus_spoils_what_is_sound(standing: Service) -> None:
    """Before it is spoilt, each statement passes every check of form: only a rule may refuse it."""
    recorded: set[Kind] = set()
    for path in sorted(await posts(standing), key=lambda path: COMES_LATE.get(kind_at(path), 0)):
        said = spoken(standing.world, kind_at(path), standing.clock.now)
        answer = await sends(standing, path, said, envelope_bytes(said.envelope()))
        assert answer.status_code in {201, 403, 409, 422}, f"{path}: {answer.text}"
        recorded |= {said.kind} if answer.status_code == 201 else set()
    assert recorded > {Kind.AGREEMENT, Kind.HOLD, Kind.OBJECTION}, recorded


async def test_a_hostile_envelope_is_refused_and_changes_nothing(standing: Service) -> None:
    before = kept(standing.world)
    for path in await posts(standing):
        said = spoken(standing.world, kind_at(path), standing.clock.now)
        sound = envelope_bytes(said.envelope())
        for name, spoil in HOSTILE.items():
            answer = await sends(standing, path, said, spoil(sound))
            check_refusal(answer, f"{name} to {path}", {400, 413})
    assert kept(standing.world) == before


async def test_a_hostile_body_is_refused_however_well_it_is_signed(standing: Service) -> None:
    before = kept(standing.world)
    for path in await posts(standing):
        said = spoken(standing.world, kind_at(path), standing.clock.now)
        sound = canonical_bytes(said.body)
        assert inside(said, sound) == envelope_bytes(said.envelope())
        for name, spoil in {**HOSTILE, **SPACED}.items():
            assert spoil(sound) != sound, name
            answer = await sends(standing, path, said, inside(said, spoil(sound)))
            check_refusal(answer, f"{name} inside, to {path}", {400, 413})
    assert kept(standing.world) == before


async def test_a_body_of_another_type_is_refused(standing: Service) -> None:
    before = kept(standing.world)
    for path in await posts(standing):
        said = spoken(standing.world, kind_at(path), standing.clock.now)
        sound = envelope_bytes(said.envelope())
        for data, headers in (
            (sound, {"content_type": "text/plain"}),
            (sound, {"content_type": "application/x-www-form-urlencoded"}),
            (sound, {"content_type": "multipart/form-data; boundary=a"}),
            (sound, {"content_type": "application/problem+json"}),
            (sound, {"content_type": "application/json, application/json"}),
            (sound, {"content_type": "application/json; charset=utf-16"}),
            (sound, {"content_type": "application/json; charset=utf-8; charset=utf-16"}),
            (sound, {"content_type": ""}),
            (sound, {"content_encoding": "gzip"}),
            (gzip.compress(sound), {"content_encoding": "gzip"}),
            (sound, {"content_encoding": "identity, gzip"}),
        ):
            answer = await sends(standing, path, said, data, **headers)
            check_refusal(answer, f"{headers} to {path}", {415})
    assert kept(standing.world) == before


async def endless() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield 16 * 1024 * b" "
    raise AssertionError("the server reads on and on")


async def test_no_address_reads_further_than_its_bound(standing: Service) -> None:
    before = kept(standing.world)
    for path in await posts(standing):
        said = spoken(standing.world, kind_at(path), standing.clock.now)
        answer = await standing.http.post(
            address(standing, path),
            content=endless(),
            headers={"content-type": "application/json", **standing.signed_in(said.signers[0])},
        )
        check_refusal(answer, path, {413})
    assert kept(standing.world) == before


async def puts(service: Service) -> list[str]:
    paths = (await document(service))["paths"]
    return [path for path, operations in paths.items() if "put" in operations]


async def test_hostile_bytes_never_pass_for_the_announced_blob(standing: Service) -> None:
    """A blob may be any bytes; they are refused because they are not the announced ones."""
    assert await puts(standing) == ["/v1/blobs/{digest}"], "list here the bytes that this address takes"
    before = kept(standing.world)
    sound = b'{"a":1}'
    where = f"/v1/blobs/{sha256_digest(sound)}?agreement={standing.world.agreement.id}&purpose=deposit"
    for name, spoil in HOSTILE.items():
        for length in ({}, {"upload-length": str(len(spoil(sound)))}):
            headers = {**standing.signed_in(DORA), **length}
            answer = await standing.http.put(where, content=spoil(sound), headers=headers)
            check_refusal(answer, name, {422})
    for headers in (
        {"upload-offset": "-1"},
        {"upload-offset": "1e3"},
        {"upload-offset": "9" * 400},
        {"upload-length": "NaN"},
        {"upload-length": str(1 << 41)},
        {"upload-length": "3"},  # more comes than was announced
        {"upload-offset": "5", "upload-length": "12"},
    ):
        answer = await standing.http.put(
            where, content=sound, headers={**standing.signed_in(DORA), **headers}
        )
        check_refusal(answer, str(headers), {409, 422})
    assert kept(standing.world) == before


async def test_a_header_given_twice_is_refused(standing: Service) -> None:
    """If both were allowed, one server would take the first and another the second."""
    sound = b"{}"
    where = f"/v1/blobs/{sha256_digest(sound)}?agreement={standing.world.agreement.id}&purpose=deposit"
    before = kept(standing.world)
    for name, values in (
        ("authorization", ["Bearer a"]),
        ("upload-offset", ["0", "2"]),
        ("upload-length", ["2", "4"]),
        ("content-encoding", ["identity", "identity"]),
        ("idempotency-key", ["a", "b"]),
    ):
        headers = [*standing.signed_in(DORA).items(), *((name, value) for value in values)]
        answer = await standing.http.put(where, content=sound, headers=headers)
        check_refusal(answer, name, {422})
        assert answer.json()["facts"]["parameter"] == name
    assert kept(standing.world) == before
