"""What a claim's statements make their verifier do is counted first: versions, signatures and values."""

import pytest

from tallystick.crypto.envelope import Envelope, Signature
from tallystick.limits.documents import SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import (
    EVIDENCE_SIGNATURES_MAX,
    EVIDENCE_VALUES_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
    EVIDENCE_VERSIONS_MAX,
)
from tallystick.proof.work import TooMuchToVerifyError, check_work

REVOCATION = "key-revocation"
BY_ONE = (Signature(keyid="sha256:" + 64 * "0", value=bytes(64)),)
BY_MANY = BY_ONE * SIGNATURES_PER_ENVELOPE_MAX


def statement(kind: str, *, by: tuple[Signature, ...] = BY_ONE, size_bytes: int = 2) -> Envelope:
    return Envelope(
        payload_type=f"application/vnd.tallystick.{kind}.v1+json", payload=bytes(size_bytes), signatures=by
    )


def test_a_file_may_have_so_many_versions_and_no_more() -> None:
    check_work([statement("agreement")] * EVIDENCE_VERSIONS_MAX)
    with pytest.raises(TooMuchToVerifyError, match="too many versions"):
        check_work([statement("agreement")] * (EVIDENCE_VERSIONS_MAX + 1))


def test_versions_may_be_so_large_together_and_no_larger() -> None:
    large = statement("agreement", size_bytes=EVIDENCE_VERSIONS_BYTES_MAX // 20)  # a third more as base64
    check_work([large] * 14)
    with pytest.raises(TooMuchToVerifyError, match="too many versions"):
        check_work([large] * 15)


def test_a_revocations_signatures_count_once_more_for_each_later_version() -> None:
    versions = EVIDENCE_VERSIONS_MAX - 1
    most = (EVIDENCE_SIGNATURES_MAX - versions) // ((versions + 1) * len(BY_MANY))
    revocations, agreements = (
        [statement(REVOCATION, by=BY_MANY)] * (most + 1),
        [statement("agreement")] * versions,
    )

    check_work([*revocations[:most], *agreements])
    check_work([*agreements, *revocations])
    with pytest.raises(TooMuchToVerifyError, match="too many signatures"):
        check_work([*revocations, *agreements])


def filled(body: bytes) -> Envelope:
    return Envelope(payload_type="application/vnd.tallystick.event.v1+json", payload=body, signatures=BY_ONE)


def test_all_statements_together_may_have_so_many_values_and_no_more() -> None:
    half = filled(b"[" + b",".join([b'"ab"'] * (EVIDENCE_VALUES_MAX // 2)) + b"]")
    check_work([half, half])
    with pytest.raises(TooMuchToVerifyError, match="too many values"):
        check_work([half, half, filled(b"[0]")])


def test_what_stands_within_a_text_is_no_value() -> None:
    check_work([filled(b'"' + b",[{" * EVIDENCE_VALUES_MAX + b'\\","'), filled(b'"\\","')])
