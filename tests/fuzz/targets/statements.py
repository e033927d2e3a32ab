"""Envelopes, bodies of statements, public key files and bearer tokens. The twins: securesystemslib, PyJWT."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from securesystemslib import dsse

from api.http.problems import UnauthenticatedError
from api.http.tokens import authenticate
from tallystick.client.bearer import bearer_token
from tallystick.crypto.age import parse_identity
from tallystick.crypto.enrolment import enrol, public_file_bytes, read_public_file
from tallystick.crypto.envelope import (
    SignatureInvalidError,
    envelope_bytes,
    kind_of,
    pae,
    parse_envelope,
    verified_signers,
)
from tallystick.crypto.json.canonical import parse
from tallystick.crypto.keys import key_id
from tallystick.domain.bodies import BODIES, read_body
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.proof.evidence.file import read_evidence_file
from tests.fuzz.target import Target
from tests.fuzz.worlds import evidence
from tests.support.shown_vectors import vectors
from tests.support.worlds.agreements import AGREEMENT, ANA, PEOPLE
from tests.support.worlds.deliveries import agreement_envelope, keys_of

_KINDS: Final = tuple(sorted(BODIES))
_NOW: Final = 1_790_000_000
_KEYS: Final = keys_of(ANA)
_TOKEN: Final = bearer_token(_KEYS, deployment=AGREEMENT.deployment, at=datetime.fromtimestamp(_NOW, UTC))
_PEOPLE: Final = tuple(actor.signing_key.public_key for actor in PEOPLE.values())
_AGREEMENT: Final = agreement_envelope(AGREEMENT)


def judge_envelope(data: bytes) -> bool:
    """Accepted bytes are the envelope that securesystemslib reads; only keys that signed are its signers."""
    try:
        envelope = parse_envelope(data)
    except MalformedError:
        return False
    theirs = dsse.Envelope.from_dict(_with_hints(json.loads(data)))
    assert theirs.pae() == pae(envelope.payload_type, envelope.payload)
    assert parse_envelope(envelope_bytes(envelope)) == envelope
    try:
        assert verified_signers(envelope, _PEOPLE)
        assert envelope.statement == _AGREEMENT.statement, "a signature was taken for other bytes"
    except SignatureInvalidError:
        pass
    return True


def _with_hints(document: dict[str, Any]) -> dict[str, Any]:
    """Return an envelope for a reader that asks for a `keyid` with every signature, which DSSE does not."""
    for index, signature in enumerate(document["signatures"]):
        signature.setdefault("keyid", f"unnamed signature {index}")
    return document


def _key_of(fingerprint: Digest) -> PublicKey | None:
    key = _KEYS.signing_key.public_key
    return key if fingerprint == key_id(key) else None


def judge_body(data: bytes) -> bool:
    """An accepted body is written back as the very document that was read; byte 0 chooses its kind."""
    if not data:
        return False
    kind = _KINDS[data[0] % len(_KINDS)]
    try:
        document = parse(data[1:])
        if not isinstance(document, dict):
            return False
        body = read_body(kind, document)
    except MalformedError:
        return False
    assert encode_object(body) == document
    return True


def judge_public_file(data: bytes) -> bool:
    """An accepted public file is the one that its key's holder made, byte for byte but for its layout."""
    try:
        enrolment = read_public_file(data)
    except TallystickError:
        return False
    assert parse(public_file_bytes(enrolment)) == parse(data)
    assert enrolment.signing_key == _KEYS.signing_key.public_key, "a signature by nobody was taken"
    return True


def judge_token(data: bytes) -> bool:
    """Only a token over the very bytes that its holder signed is accepted."""
    try:
        text = data.decode("latin-1")
        found = authenticate(text, deployment=AGREEMENT.deployment, now=_NOW + 1, key_of=_key_of)
    except UnauthenticatedError:
        return False
    assert found == _KEYS.signing_key.public_key
    assert text.rpartition(".")[0] == _TOKEN.rpartition(".")[0], "a signature was taken for other claims"
    return True


def _bodies() -> Iterable[bytes]:
    for vector in vectors().values():
        if vector["kind"] in BODIES:
            yield bytes([_KINDS.index(vector["kind"])]) + vector["body"].encode()
    for entry in read_evidence_file(evidence()).exported.entries:
        kind = Kind(kind_of(entry.envelope))
        if kind in BODIES:
            yield bytes([_KINDS.index(kind)]) + entry.envelope.payload


def _public_files() -> Iterable[bytes]:
    at = datetime.fromtimestamp(_NOW, UTC)
    identity = parse_identity(_KEYS.age_identity)
    enrolment = enrol(_KEYS.person, _KEYS.signing_key, age_recipient=str(identity.recipient()), issued_at=at)
    yield public_file_bytes(enrolment)


TARGETS: Final = (
    Target(name="envelope", judge=judge_envelope, seeds=lambda: [envelope_bytes(_AGREEMENT)]),
    Target(name="body", judge=judge_body, seeds=_bodies),
    Target(name="public-file", judge=judge_public_file, seeds=_public_files),
    Target(name="token", judge=judge_token, seeds=lambda: [_TOKEN.encode()]),
)
