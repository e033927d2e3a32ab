"""Names and digests: what things are called, and how a name is checked as it is made.

A digest identifies; a name only shows. A person is `name@party` inside an
agreement, but *is* the public key: the same key under two names is one person.
"""

import base64
import hashlib
import re
from typing import Final, NewType

from tallystick.domain.errors import MalformedNameError
from tallystick.limits.documents import NAME_LENGTH_MAX, PERSON_ID_LENGTH_MAX

AgreementId = NewType("AgreementId", str)
DeploymentId = NewType("DeploymentId", str)
PartyId = NewType("PartyId", str)
ComponentId = NewType("ComponentId", str)
StageId = NewType("StageId", str)
GroupId = NewType("GroupId", str)
PersonId = NewType("PersonId", str)
"""`name@party`."""
Digest = NewType("Digest", str)
"""`sha256:` and 64 lower-case hexadecimal digits."""
PublicKey = NewType("PublicKey", str)
"""`ed25519:` and 64 lower-case hexadecimal digits."""
ClaimId = NewType("ClaimId", str)
"""`clm-` and 16 base32 letters of the claim's digest: for people; the digest decides."""

_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9.-]{{0,{NAME_LENGTH_MAX - 1}}}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_NONCE: Final = re.compile(r"[0-9a-f]{32}")
_PUBLIC_KEY: Final = re.compile(r"ed25519:[0-9a-f]{64}")


def name(text: str) -> str:
    """Return `text` if it is a well-formed name.

    Raises:
        MalformedNameError: Not `[a-z0-9][a-z0-9.-]{0,62}`.
    """
    if _NAME.fullmatch(text) is None:
        raise MalformedNameError("the text is not a name", given=text[:NAME_LENGTH_MAX], form=_NAME.pattern)
    return text


def person_id(text: str) -> PersonId:
    """Return `text` as a person's name at a party, such as `ana@harbour`.

    Raises:
        MalformedNameError: Not two names joined by one `@`.
    """
    local, separator, party = text.partition("@")
    if not separator or len(text) > PERSON_ID_LENGTH_MAX:
        raise MalformedNameError("the text is not a person", given=text[:NAME_LENGTH_MAX], form="name@party")
    name(local)
    name(party)
    return PersonId(text)


def party_of(person: PersonId) -> PartyId:
    """Return the party that `person` belongs to."""
    return PartyId(person.partition("@")[2])


def engine_person(deployment: DeploymentId) -> PersonId:
    """Return the name under which the engine of `deployment` speaks."""
    return PersonId(f"engine@{deployment}")


def gate_person(deployment: DeploymentId) -> PersonId:
    """Return the name under which the gate of `deployment` speaks."""
    return PersonId(f"gate@{deployment}")


def digest(text: str) -> Digest:
    """Return `text` as a digest.

    Raises:
        MalformedNameError: Not `sha256:` and 64 lower-case hexadecimal digits.
    """
    if _DIGEST.fullmatch(text) is None:
        raise MalformedNameError("the text is not a digest", given=text[:80], form=_DIGEST.pattern)
    return Digest(text)


def as_digest(sha256: bytes) -> Digest:
    """Return the 32 bytes of a SHA-256 as a digest."""
    return Digest(f"sha256:{sha256.hex()}")


def sha256_digest(data: bytes) -> Digest:
    """Return the SHA-256 of `data` in the form used everywhere: `sha256:` and hexadecimal."""
    return as_digest(hashlib.sha256(data).digest())


def digits_of(of: Digest) -> str:
    """Return the 64 hexadecimal digits of a digest, as names of files and workflows have them."""
    return of.removeprefix("sha256:")


def public_key(text: str) -> PublicKey:
    """Return `text` as an Ed25519 public key; says nothing about the point it encodes.

    Raises:
        MalformedNameError: Not `ed25519:` and 64 lower-case hexadecimal digits.
    """
    if _PUBLIC_KEY.fullmatch(text) is None:
        raise MalformedNameError("the text is not a public key", given=text[:80], form=_PUBLIC_KEY.pattern)
    return PublicKey(text)


def nonce(text: str) -> str:
    """Return `text` if it is a statement's nonce: 128 bits.

    Raises:
        MalformedNameError: Not 32 lower-case hexadecimal digits.
    """
    if _NONCE.fullmatch(text) is None:
        raise MalformedNameError("the text is not a nonce", given=text[:80], form=_NONCE.pattern)
    return text


def claim_id(claim: Digest) -> ClaimId:
    """Return the short form in which the claim with digest `claim` is shown."""
    raw = bytes.fromhex(digits_of(claim))
    return ClaimId("clm-" + base64.b32encode(raw)[:16].decode().lower())


def is_claim_name(name: str, claim: Digest) -> bool:
    """Return whether `name` is a claim's digest or its short form."""
    return name in {claim, claim_id(claim)}
