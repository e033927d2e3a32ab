"""What a claim's statements make their verifier do, counted before any of it is done."""

import re
from collections.abc import Sequence
from typing import Final

from tallystick.crypto.envelope import Envelope, envelope_bytes, is_key_id, kind_of
from tallystick.domain.errors import MalformedError
from tallystick.domain.kinds import Kind
from tallystick.limits.logs import (
    EVIDENCE_SIGNATURES_MAX,
    EVIDENCE_UNNAMED_SIGNATURES_MAX,
    EVIDENCE_VALUES_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
    EVIDENCE_VERSIONS_MAX,
)

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class TooMuchToVerifyError(MalformedError):
    """Statements about a claim that would keep their verifier busy for too long."""

    code = "too-much-to-verify"
    why = "What is recorded about a claim is bounded, so that anyone verifies it within seconds."
    advice = "No server of ours recorded this: ask another party for their copy, and compare the two."


def check_work(envelopes: Sequence[Envelope]) -> None:
    """Refuse a claim's statements that would make their verifier work for too long; none is read yet.

    Raises:
        TooMuchToVerifyError: Too many versions of the agreement, too many signatures, or too many values.
        MalformedEnvelopeError: Not a statement of ours.
    """
    _check_versions([one for one in envelopes if kind_of(one) == Kind.AGREEMENT])
    _check_signatures(envelopes)
    _check_values([one.payload for one in envelopes if kind_of(one) != Kind.AGREEMENT])


def _check_versions(versions: Sequence[Envelope]) -> None:
    size = sum(len(envelope_bytes(version)) for version in versions)
    if len(versions) > EVIDENCE_VERSIONS_MAX or size > EVIDENCE_VERSIONS_BYTES_MAX:
        raise TooMuchToVerifyError(
            "there are too many versions of the agreement", found=len(versions), size_bytes=size
        )


def _check_signatures(envelopes: Sequence[Envelope]) -> None:
    """Bound the signatures: each that names no key may be anybody's.

    Those of a revocation are verified again for each later version of the agreement, by its own rules.
    """
    signatures = [signature for envelope in envelopes for signature in envelope.signatures]
    found = len(signatures) + verified_again(envelopes)
    unnamed = sum(not is_key_id(signature.keyid) for signature in signatures)
    if found > EVIDENCE_SIGNATURES_MAX or unnamed > EVIDENCE_UNNAMED_SIGNATURES_MAX:
        raise TooMuchToVerifyError("there are too many signatures", found=found, unnamed=unnamed)


def _check_values(bodies: Sequence[bytes]) -> None:
    """Bound the values: one of two letters takes four bytes to write, and a hundred to hold.

    Each stands after a bracket or a comma. They are looked for outside strings only if there are too many
    with those within.
    """
    if sum(map(_separators, bodies)) <= EVIDENCE_VALUES_MAX:
        return
    found = sum(_separators(_STRING.sub(b"", body)) for body in bodies)
    if found > EVIDENCE_VALUES_MAX:
        raise TooMuchToVerifyError("there are too many values", found=found, limit=EVIDENCE_VALUES_MAX)


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def verified_again(envelopes: Sequence[Envelope]) -> int:
    """Return how many signatures of revocations later versions have verified again; in ledger order."""
    again = of_revocations = 0
    for envelope in envelopes:
        match kind_of(envelope):
            case Kind.KEY_REVOCATION:
                of_revocations += len(envelope.signatures)
            case Kind.AGREEMENT:
                again += of_revocations
            case _:
                pass
    return again
