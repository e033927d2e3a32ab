"""Statements: what was signed and by whom; nothing else passes for it."""

import base64
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.crypto.envelope import (
    Envelope,
    MalformedEnvelopeError,
    Signature,
    SignatureInvalidError,
    body_of,
    cosign,
    envelope_bytes,
    envelope_json,
    kind_of,
    new_nonce,
    pae,
    parse_envelope,
    sign,
    statement_id,
    verified_signers,
)
from tallystick.crypto.json.base64 import MalformedBase64Error, base64_bytes, base64_text
from tallystick.crypto.json.canonical import JsonTooLargeError, NotCanonicalError, canonical_bytes
from tallystick.crypto.json.members import UnexpectedShapeError
from tallystick.crypto.keys import SigningKey, key_id, public_key_of
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.limits.documents import (
    ENVELOPE_NODES_MAX,
    JSON_SIZE_BYTES_MAX,
    SIGNATURES_PER_ENVELOPE_MAX,
    STATEMENT_NODES_MAX,
)

ANA, BEN, EVA = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
KEYS = [key.public_key for key in (ANA, BEN, EVA)]
BODY: JsonObject = {"claim": "sha256:" + "0" * 64, "nonce": "n", "person": "ana@harbour"}
APPROVAL = sign("approval", BODY, [ANA])


def _changed(envelope: Envelope, **members: JsonValue) -> bytes:
    return canonical_bytes({**envelope_json(envelope), **members})


def test_pae_is_that_of_the_dsse_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes_not_characters() -> None:
    assert pae("a/ä", "ö".encode()) == "DSSEv1 4 a/ä 2 ö".encode()


def test_statement_reads_back_with_its_kind_body_and_signer() -> None:
    read = parse_envelope(envelope_bytes(APPROVAL))
    assert read == APPROVAL
    assert (kind_of(read), body_of(read)) == ("approval", BODY)
    assert verified_signers(read, KEYS) == {ANA.public_key}


def test_text_that_an_envelope_was_read_from_is_kept() -> None:
    text = canonical_bytes(envelope_json(APPROVAL))
    assert envelope_bytes(parse_envelope(text)) is text


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'":', b'": '),
        (b"]}", b"]}\n"),
        (b"application", b"\\u0061pplication"),
        (b'"keyid":"sha256', b'"keyid":"\\u0073ha256'),
        (
            b'{"payload":"',
            b'{"signatures":%b,"payload":"' % canonical_bytes(envelope_json(APPROVAL)["signatures"]),
        ),
    ],
    ids=["space", "newline", "escaped type", "escaped hint", "other order"],
)
def test_envelope_in_another_spelling_is_written_in_the_canonical_one(written: bytes, instead: bytes) -> None:
    text = canonical_bytes(envelope_json(APPROVAL))
    respelled = text.replace(written, instead)
    if b"signatures" in instead:
        respelled = respelled[: respelled.rindex(b',"signatures"')] + b"}"
    assert respelled != text
    read = parse_envelope(respelled)
    assert (read, hash(read)) == (APPROVAL, hash(APPROVAL))
    assert envelope_bytes(read) == text


@given(st.lists(st.none() | st.text(max_size=12), min_size=1, max_size=3), st.booleans())
def test_whatever_the_hints_say_what_is_kept_is_the_canonical_form(
    hints: list[str | None], escaped: bool
) -> None:
    signatures: list[JsonValue] = [
        {"sig": base64_text(bytes(64))} if hint is None else {"keyid": hint, "sig": base64_text(bytes(64))}
        for hint in hints
    ]
    written = {**envelope_json(APPROVAL), "signatures": signatures}
    text = json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=escaped).encode()
    try:
        read = parse_envelope(text)
    except MalformedError:
        return  # a control character
    assert envelope_bytes(read) == canonical_bytes(envelope_json(read))


def test_statement_id_is_of_type_and_body_whoever_signs() -> None:
    signed_by_another = sign("approval", BODY, [BEN, EVA])
    expected = "sha256:" + sha256(pae(APPROVAL.payload_type, canonical_bytes(BODY))).hexdigest()
    assert statement_id(APPROVAL) == statement_id(signed_by_another) == expected
    assert statement_id(sign("denial", BODY, [ANA])) != expected
    assert statement_id(sign("approval", {**BODY, "nonce": "m"}, [ANA])) != expected


def test_keyid_written_is_the_key_digest() -> None:
    assert [signature.keyid for signature in APPROVAL.signatures] == [key_id(ANA.public_key)]


def test_all_signers_of_an_agreement_are_found() -> None:
    agreement = cosign(sign("agreement", BODY, [ANA, BEN]), EVA)
    assert verified_signers(agreement, KEYS) == set(KEYS)


def test_signing_twice_adds_nothing() -> None:
    assert cosign(APPROVAL, ANA) == APPROVAL


def test_signing_replaces_what_others_wrote_under_ones_own_keyid() -> None:
    forged = Signature(keyid=key_id(ANA.public_key), value=bytes(64))
    assert cosign(replace(APPROVAL, signatures=(forged,)), ANA) == APPROVAL


def test_signature_repeated_counts_its_key_once() -> None:
    [signature] = APPROVAL.signatures
    respelled = Signature(keyid=None, value=signature.value)
    doubled = replace(APPROVAL, signatures=(signature, respelled, signature))
    assert verified_signers(doubled, [*KEYS, *KEYS]) == {ANA.public_key}


@pytest.mark.parametrize("keyid", [None, "", "ana", "sha256:ana"])
def test_keyid_that_names_no_key_decides_nothing(keyid: str | None) -> None:
    [signature] = APPROVAL.signatures
    mislabelled = replace(APPROVAL, signatures=(replace(signature, keyid=keyid),))
    assert verified_signers(mislabelled, KEYS) == {ANA.public_key}


@pytest.mark.parametrize("keyid", [key_id(BEN.public_key), "sha256:" + 64 * "0"])
def test_keyid_that_names_a_key_is_tried_with_this_key_alone(keyid: str) -> None:
    [signature] = APPROVAL.signatures
    mislabelled = replace(APPROVAL, signatures=(replace(signature, keyid=keyid),))
    with pytest.raises(SignatureInvalidError):
        verified_signers(mislabelled, KEYS)


def test_keyid_of_another_does_not_lend_its_name() -> None:
    forged = Signature(keyid=key_id(BEN.public_key), value=ANA.sign(b"something else"))
    with pytest.raises(SignatureInvalidError):
        verified_signers(replace(APPROVAL, signatures=(forged,)), KEYS)


def test_signature_by_nobody_expected_is_refused_even_beside_a_good_one() -> None:
    both = cosign(APPROVAL, EVA)
    with pytest.raises(SignatureInvalidError) as caught:
        verified_signers(both, [ANA.public_key, BEN.public_key])
    assert caught.value.facts == {"signature": 1, "expected_keys": 2}


def test_statement_without_signature_or_candidates_is_refused() -> None:
    with pytest.raises(SignatureInvalidError):
        verified_signers(replace(APPROVAL, signatures=()), KEYS)
    with pytest.raises(SignatureInvalidError):
        verified_signers(APPROVAL, [])


def test_approval_does_not_verify_as_another_kind() -> None:
    relabelled = replace(APPROVAL, payload_type="application/vnd.tallystick.denial.v1+json")
    with pytest.raises(SignatureInvalidError):
        verified_signers(relabelled, KEYS)


def test_any_changed_byte_of_the_body_is_refused() -> None:
    for place in range(len(APPROVAL.payload)):
        payload = bytearray(APPROVAL.payload)
        payload[place] ^= 1
        with pytest.raises(SignatureInvalidError):
            verified_signers(replace(APPROVAL, payload=bytes(payload)), KEYS)


def test_key_of_small_order_signs_nothing() -> None:
    identity = public_key_of(b"\x01" + bytes(31))
    forged = replace(APPROVAL, signatures=(Signature(keyid=None, value=b"\x01" + bytes(63)),))
    with pytest.raises(SignatureInvalidError):
        verified_signers(forged, [identity])


def test_body_must_be_canonical() -> None:
    spaced = replace(APPROVAL, payload=b'{"a": 1}')
    with pytest.raises(NotCanonicalError):
        body_of(spaced)


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"1", b"null"])
def test_body_must_be_an_object(payload: bytes) -> None:
    with pytest.raises(MalformedEnvelopeError):
        body_of(replace(APPROVAL, payload=payload))


def test_body_that_could_not_be_read_back_is_not_signed() -> None:
    with pytest.raises(MalformedError):
        sign("approval", {"text": "\x00"}, [ANA])
    with pytest.raises(MalformedError):
        sign("approval", {"text": "x" * 600_000}, [ANA])


PADDED = base64_text(b"{}")
SIGNATURE = base64_text(bytes(64))
HOSTILE: dict[str, tuple[dict[str, JsonValue], type[MalformedError]]] = {
    "unknown member": ({"keyid": "x"}, UnexpectedShapeError),
    "payload not text": ({"payload": 1}, UnexpectedShapeError),
    "payload URL-safe": ({"payload": "_-8="}, MalformedBase64Error),
    "payload unpadded": ({"payload": PADDED.rstrip("=")}, MalformedBase64Error),
    "payload with trailing bits": ({"payload": "e31="}, MalformedBase64Error),
    "payload with line break": ({"payload": "e3\n0="}, MalformedBase64Error),
    "payload with padding inside": ({"payload": "e30=e30="}, MalformedBase64Error),
    "payload not ASCII": ({"payload": "é30="}, MalformedBase64Error),
    "foreign type": ({"payloadType": "application/vnd.in-toto+json"}, MalformedEnvelopeError),
    "other version": ({"payloadType": "application/vnd.tallystick.claim.v2+json"}, MalformedEnvelopeError),
    "type with newline": ({"payloadType": APPROVAL.payload_type + "\n"}, MalformedEnvelopeError),
    "type in capitals": ({"payloadType": APPROVAL.payload_type.upper()}, MalformedEnvelopeError),
    "no signatures": ({"signatures": []}, MalformedEnvelopeError),
    "signatures as text": ({"signatures": "ab"}, MalformedEnvelopeError),
    "too many signatures": (
        {"signatures": [{"sig": SIGNATURE}] * (SIGNATURES_PER_ENVELOPE_MAX + 1)},
        MalformedEnvelopeError,
    ),
    "signature not an object": ({"signatures": [SIGNATURE]}, UnexpectedShapeError),
    "signature without value": ({"signatures": [{"keyid": "x"}]}, UnexpectedShapeError),
    "signature with unknown member": ({"signatures": [{"sig": SIGNATURE, "cert": ""}]}, UnexpectedShapeError),
    "signature too short": ({"signatures": [{"sig": base64_text(bytes(63))}]}, MalformedEnvelopeError),
    "signature unpadded": ({"signatures": [{"sig": SIGNATURE.rstrip("=")}]}, MalformedBase64Error),
    "keyid not text": ({"signatures": [{"keyid": None, "sig": SIGNATURE}]}, UnexpectedShapeError),
    "two signatures with one keyid": (
        {"signatures": [{"keyid": "", "sig": SIGNATURE}, {"keyid": "", "sig": base64_text(b"\1" * 64)}]},
        MalformedEnvelopeError,
    ),
    "keyid too long": ({"signatures": [{"keyid": "x" * 129, "sig": SIGNATURE}]}, MalformedEnvelopeError),
}


@pytest.mark.parametrize(("members", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_envelope_is_refused(members: dict[str, JsonValue], error: type[MalformedError]) -> None:
    parse_envelope(_changed(APPROVAL))
    with pytest.raises(MalformedError) as caught:
        parse_envelope(_changed(APPROVAL, **members))
    assert type(caught.value) is error


@pytest.mark.parametrize("member", ["payload", "payloadType", "signatures"])
def test_envelope_lacking_a_member_is_refused(member: str) -> None:
    members = {name: value for name, value in envelope_json(APPROVAL).items() if name != member}
    with pytest.raises(UnexpectedShapeError, match="missing member"):
        parse_envelope(canonical_bytes(members))


@pytest.mark.parametrize("data", [b"[]", b"null", b'"x"', b"{}{}", b""])
def test_what_is_no_json_object_is_no_envelope(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_envelope(data)


def test_longest_body_with_all_signatures_is_read_and_one_byte_more_is_refused() -> None:
    keys = [SigningKey(bytes([number]) * 32) for number in range(SIGNATURES_PER_ENVELOPE_MAX)]
    filler = JSON_SIZE_BYTES_MAX - len(b'{"text":""}')
    longest = sign("agreement", {"text": "x" * filler}, keys)
    assert parse_envelope(envelope_bytes(longest)) == longest
    longer = sign("agreement", {"text": "x" * (filler + 1)}, keys)
    with pytest.raises(MalformedEnvelopeError, match="too long"):
        parse_envelope(envelope_bytes(longer))


def test_seventeenth_signature_is_not_added() -> None:
    keys = [SigningKey(bytes([number]) * 32) for number in range(SIGNATURES_PER_ENVELOPE_MAX)]
    full = sign("agreement", BODY, keys)
    with pytest.raises(MalformedEnvelopeError):
        cosign(full, SigningKey(b"x" * 32))


def test_envelope_with_more_values_than_any_has_is_refused_before_they_are_built() -> None:
    with pytest.raises(JsonTooLargeError, match="too many values"):
        parse_envelope(b"[" + b",".join([b"1"] * ENVELOPE_NODES_MAX) + b"]")


def test_only_an_agreement_says_as_much_as_an_agreement_may() -> None:
    body: JsonObject = {"days": ["2026-01-01"] * STATEMENT_NODES_MAX}
    assert body_of(sign("agreement", body, [ANA])) == body
    with pytest.raises(JsonTooLargeError, match="too many values"):
        body_of(sign("denial", body, [ANA]))


def test_envelope_is_plain_dsse_that_others_read() -> None:
    plain = json.loads(envelope_bytes(APPROVAL))
    assert json.loads(base64.b64decode(plain["payload"])) == BODY
    assert plain["payloadType"] == "application/vnd.tallystick.approval.v1+json"
    assert base64.b64decode(plain["signatures"][0]["sig"]) == ANA.sign(
        pae(plain["payloadType"], APPROVAL.payload)
    )


@given(st.binary(max_size=80))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert base64_bytes(base64_text(data), where="") == data


@given(st.text(max_size=12, alphabet="AQgw+/=_-\n ") | st.text(max_size=8))
def test_accepted_base64_is_the_spelling_that_we_write(text: str) -> None:
    try:
        data = base64_bytes(text, where="")
    except MalformedBase64Error:
        return
    assert base64_text(data) == text


def test_nonces_do_not_repeat() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100
