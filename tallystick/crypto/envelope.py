"""Statements: DSSE v1.0.2 envelopes over RFC 8785 bodies, signed with Ed25519.

The payload type is the domain separation: one kind has one meaning, and its name
is signed with the body. An envelope carries no public key, and its `keyid` is a
hint that decides nothing: the verifier brings the keys that may have signed.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeGuard

from tallystick.crypto.json.base64 import base64_bytes, base64_text
from tallystick.crypto.json.canonical import canonical_bytes, parse, parse_canonical
from tallystick.crypto.json.members import members_of, text_of
from tallystick.crypto.keys import SIGNATURE_SIZE_BYTES, SigningKey, key_id, verifies
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import Digest, PublicKey, sha256_digest
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.limits.documents import (
    AGREEMENT_SIZE_BYTES_MAX,
    ENVELOPE_NODES_MAX,
    ENVELOPE_OVERHEAD_BYTES_MAX,
    JSON_NODES_MAX,
    JSON_SIZE_BYTES_MAX,
    KEYID_LENGTH_MAX,
    SIGNATURES_PER_ENVELOPE_MAX,
    STATEMENT_NODES_MAX,
)

_PAYLOAD_TYPE: Final = re.compile(r"application/vnd\.tallystick\.([a-z][a-z-]{0,62})\.v1\+json")
_CANONICAL: Final = re.compile(
    rb'\{"payload":"[A-Za-z0-9+/=]*+","payloadType":"[a-z0-9./+-]*+","signatures":'
    rb'\[(?:,?\{(?:"keyid":"[ !#-\[\]-~]*+",)?"sig":"[A-Za-z0-9+/=]*+"\})*+\]\}'
)
"""How an envelope is spelled in its RFC 8785 form, if it is one: members in order, no escape, no space."""
_AGREEMENT: Final = "agreement"  # the one kind with a larger document
_KEY_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")
_NONCE_SIZE_BYTES: Final = 16


class MalformedEnvelopeError(MalformedError):
    """JSON that is not an envelope of one of our statements."""

    code = "malformed-envelope"
    why = "A statement is a DSSE v1.0.2 envelope with a tallystick payload type and 1 to 16 signatures."
    advice = "Compare the envelope with the one that `tallystick` writes; unknown members are refused."


class SignatureInvalidError(TallystickError):
    """An envelope with a signature that none of the expected keys made."""

    code = "signature-invalid"
    why = "Every signature of a statement must verify under a key that may sign it."
    advice = "Sign again with the key that the agreement lists, and send exactly the bytes that were signed."


class SignatureNotRecordedError(TallystickError):
    """A statement that is on record, sent with a signature that the record lacks."""

    code = "signature-not-recorded"
    why = "A statement is recorded once, with the signatures that it had then; none can be added later."
    advice = "Sign a new statement together, and send it only when all have signed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature of an envelope: 64 bytes, and a hint at whose they are."""

    keyid: str | None
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A statement as it is sent and stored; its bytes are kept as they were signed.

    What follows from the bytes is computed once. Two envelopes of the same content are equal,
    however they were spelled.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @cached_property
    def canonical(self) -> bytes:
        """The envelope as canonical JSON: the very text that it was read from, if that was canonical."""
        return canonical_bytes(envelope_json(self))

    @cached_property
    def kind(self) -> str:
        """The kind that the payload type names; raises `MalformedEnvelopeError` if it is not one of ours."""
        if (match := _PAYLOAD_TYPE.fullmatch(self.payload_type)) is None:
            raise MalformedEnvelopeError("unknown payload type", at="/payloadType")
        return match.group(1)

    @cached_property
    def size_bytes(self) -> int:
        """The length of its canonical text."""
        return len(self.canonical)

    @cached_property
    def statement(self) -> Digest:
        """The SHA-256 of what is signed: type and body, not the signatures."""
        return sha256_digest(pae(self.payload_type, self.payload))

    @cached_property
    def body(self) -> JsonObject:
        """What the statement says; raises `MalformedError` if the payload is not a canonical JSON object."""
        nodes_max = JSON_NODES_MAX if self.kind == _AGREEMENT else STATEMENT_NODES_MAX
        body = parse_canonical(self.payload, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX, nodes_max=nodes_max)
        if not isinstance(body, Mapping):
            raise MalformedEnvelopeError("the body is not an object", at="/payload")
        return body


def sign(kind: str, body: JsonObject, keys: Sequence[SigningKey]) -> Envelope:
    """Return the statement of `kind` that says `body`, signed by each of `keys`.

    Raises:
        MalformedError: The body is nothing that `body_of` could read back.
    """
    assert keys, "a statement has a signer"  # the caller's own choice
    envelope = unsigned(kind, body)
    for key in keys:
        envelope = cosign(envelope, key)
    return envelope


def unsigned(kind: str, body: JsonObject) -> Envelope:
    """Return the statement of `kind` that says `body`, for its signers to read before they sign it.

    Raises:
        MalformedError: The body is nothing that `body_of` could read back.
    """
    envelope = Envelope(payload_type=_payload_type(kind), payload=canonical_bytes(body), signatures=())
    body_of(envelope)
    return envelope


def cosign(envelope: Envelope, key: SigningKey) -> Envelope:
    """Return `envelope` with the signature of `key` added; signing twice changes nothing.

    What somebody else wrote under this key's hint gives way to its signature.

    Raises:
        MalformedEnvelopeError: The envelope has as many signatures as it may have.
    """
    value = key.sign(pae(envelope.payload_type, envelope.payload))
    signature = Signature(keyid=key_id(key.public_key), value=value)
    if any(present.value == value for present in envelope.signatures):
        return envelope
    others = tuple(present for present in envelope.signatures if present.keyid != signature.keyid)
    if len(others) >= SIGNATURES_PER_ENVELOPE_MAX:
        raise MalformedEnvelopeError("too many signatures", limit=SIGNATURES_PER_ENVELOPE_MAX)
    return replace(envelope, signatures=(*others, signature))


def verified_signers(envelope: Envelope, candidates: Iterable[PublicKey]) -> frozenset[PublicKey]:
    """Return which of `candidates` signed; nobody else did.

    A key counts once, however often it signed. No signature at all is refused:
    empty never means allowed.

    Raises:
        SignatureInvalidError: A signature verifies under none of `candidates`, or there is none.
    """
    if not envelope.signatures:
        raise SignatureInvalidError("the statement has no signature")
    known = {key_id(key): key for key in candidates}
    message = pae(envelope.payload_type, envelope.payload)
    return frozenset(_signer(index, envelope, known, message) for index in range(len(envelope.signatures)))


def check_signatures_kept(sent: Envelope, recorded: Envelope) -> None:
    """Check that every signature of `sent` is on record, so that what is acknowledged is what is recorded.

    Raises:
        SignatureNotRecordedError: One is not.
    """
    held = {signature.value for signature in recorded.signatures}
    missing = sum(signature.value not in held for signature in sent.signatures)
    if missing:
        raise SignatureNotRecordedError(
            "the statement is on record without this signature", missing=missing, recorded=len(held)
        )


def is_key_id(hint: str | None) -> TypeGuard[Digest]:
    """Whether a signature's hint names one key: then it is verified under this key and no other."""
    return hint is not None and _KEY_ID.fullmatch(hint) is not None


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE v1.0.2 pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def statement_id(envelope: Envelope) -> Digest:
    """Return the SHA-256 of what is signed: type and body, not the signatures."""
    return envelope.statement


def kind_of(envelope: Envelope) -> str:
    """Return the kind that the payload type names, such as `approval`.

    Raises:
        MalformedEnvelopeError: The payload type is not one of ours.
    """
    return envelope.kind


def body_of(envelope: Envelope) -> JsonObject:
    """Return what the statement says; verify its signers before believing it.

    Raises:
        MalformedError: The payload is not canonical JSON, or not an object.
    """
    return envelope.body


def envelope_bytes_max(body_bytes_max: int) -> int:
    """Return how many bytes an envelope may have whose body has at most so many."""
    return 4 * (body_bytes_max // 3 + 1) + ENVELOPE_OVERHEAD_BYTES_MAX


def parse_envelope(data: bytes, *, body_size_bytes_max: int = JSON_SIZE_BYTES_MAX) -> Envelope:
    """Return the envelope in `data`: form only, no signature is verified.

    `body_size_bytes_max` bounds the body; an agreement's may be longer than others'.

    Raises:
        MalformedError: Not strict JSON, or not the JSON of an envelope.
    """
    size_bytes_max = envelope_bytes_max(body_size_bytes_max)
    envelope = envelope_from_json(parse(data, size_bytes_max=size_bytes_max, nodes_max=ENVELOPE_NODES_MAX))
    if len(envelope.payload) > body_size_bytes_max:
        raise MalformedEnvelopeError("the body is too long", at="/payload", limit=body_size_bytes_max)
    if _CANONICAL.fullmatch(data):
        vars(envelope)["canonical"] = data  # where a cached property is looked up first
    return envelope


def note_size(envelope: Envelope, size_bytes: int) -> None:
    """Note the length of an envelope's canonical text, so that the text need not be made for that."""
    vars(envelope)["size_bytes"] = size_bytes


def envelope_bytes(envelope: Envelope) -> bytes:
    """Return the envelope as canonical JSON."""
    return envelope.canonical


def envelope_json(envelope: Envelope) -> JsonObject:
    """Return the envelope as a JSON value, for documents that hold envelopes."""
    return {
        "payload": base64_text(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [_signature_json(signature) for signature in envelope.signatures],
    }


def envelope_from_json(value: JsonValue) -> Envelope:
    """Return the envelope that `value` describes: form only, no signature is verified.

    Raises:
        MalformedError: Unknown or missing members, base64 in another spelling, a foreign payload
            type, not 1 to 16 signatures, or two with one `keyid`.
    """
    members = members_of(value, where="", required={"payload", "payloadType", "signatures"})
    signatures = members["signatures"]
    if isinstance(signatures, str) or not isinstance(signatures, Sequence):
        raise MalformedEnvelopeError("the signatures are not a list", at="/signatures")
    if not 1 <= len(signatures) <= SIGNATURES_PER_ENVELOPE_MAX:
        raise MalformedEnvelopeError(
            "the envelope does not have 1 to 16 signatures",
            at="/signatures",
            limit=SIGNATURES_PER_ENVELOPE_MAX,
        )
    envelope = Envelope(
        payload_type=text_of(members, "payloadType", where=""),
        payload=base64_bytes(text_of(members, "payload", where=""), where="/payload"),
        signatures=tuple(_signature(item, f"/signatures/{index}") for index, item in enumerate(signatures)),
    )
    kind_of(envelope)
    _check_hints(envelope)
    return envelope


def new_nonce() -> str:
    """Return 128 random bits in hexadecimal: no two statements are the same by chance."""
    return secrets.token_hex(_NONCE_SIZE_BYTES)


def _payload_type(kind: str) -> str:
    payload_type = f"application/vnd.tallystick.{kind}.v1+json"
    assert _PAYLOAD_TYPE.fullmatch(payload_type), "a kind is lower-case words"  # the caller's own choice
    return payload_type


def _signer(index: int, envelope: Envelope, known: Mapping[Digest, PublicKey], message: bytes) -> PublicKey:
    signature = envelope.signatures[index]
    for key in _tries(signature.keyid, known):
        if verifies(key, message, signature.value):
            return key
    raise SignatureInvalidError(
        "a signature was not made by any expected key", signature=index, expected_keys=len(known)
    )


def _tries(keyid: str | None, known: Mapping[Digest, PublicKey]) -> Sequence[PublicKey]:
    """Return the one key that the hint names; every key if it names none, so that it decides nothing."""
    if not is_key_id(keyid):
        return tuple(known.values())
    named = known.get(keyid)
    return () if named is None else (named,)


def _check_hints(envelope: Envelope) -> None:
    """Other readers of DSSE keep one signature for each `keyid`: two would read as one, or as an error."""
    hints = [signature.keyid for signature in envelope.signatures if signature.keyid is not None]
    if len(hints) != len(set(hints)):
        raise MalformedEnvelopeError("two signatures have the same keyid", at="/signatures")


def _signature_json(signature: Signature) -> JsonObject:
    hint: JsonObject = {} if signature.keyid is None else {"keyid": signature.keyid}
    return {**hint, "sig": base64_text(signature.value)}


def _signature(value: JsonValue, where: str) -> Signature:
    members = members_of(value, where=where, required={"sig"}, optional={"keyid"})
    keyid = text_of(members, "keyid", where=where) if "keyid" in members else None
    if keyid is not None and len(keyid) > KEYID_LENGTH_MAX:
        raise MalformedEnvelopeError(
            "a signature's keyid is too long", at=f"{where}/keyid", limit=KEYID_LENGTH_MAX
        )
    raw = base64_bytes(text_of(members, "sig", where=where), where=f"{where}/sig")
    if len(raw) != SIGNATURE_SIZE_BYTES:
        raise MalformedEnvelopeError("a signature is not 64 bytes", at=f"{where}/sig")
    return Signature(keyid=keyid, value=raw)
