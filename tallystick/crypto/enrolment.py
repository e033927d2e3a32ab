"""Public files: who someone is, with proof that they hold the private half.

NAME.pub is JSON (`tallystick.pub/v1`): the person, both public keys and a
self-signed `enrolment` statement. Without the proof of possession a party could
list someone else's key as its own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    envelope_from_json,
    envelope_json,
    kind_of,
    new_nonce,
    sign,
    verified_signers,
)
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of, text_of
from tallystick.crypto.keys import SigningKey, check_point
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import PersonId, PublicKey, person_id, public_key
from tallystick.domain.json import JsonObject
from tallystick.limits.sealing import AGE_KEY_LENGTH_MAX, KEY_FILE_SIZE_BYTES_MAX

PUBLIC_FILE_FORMAT: Final = "tallystick.pub/v1"
ENROLMENT_KIND: Final = "enrolment"
_BODY_MEMBERS: Final = frozenset({"age_recipient", "issued_at", "nonce", "person", "signing_key"})
_FILE_MEMBERS: Final = frozenset({"age_recipient", "enrolment", "format", "person", "signing_key"})


class MalformedKeyFileError(MalformedError):
    """A key or public file that breaks its format."""

    code = "malformed-key-file"
    why = "Key files are JSON with exactly the members of their format."
    advice = "Use the file that `tallystick key new` wrote, unchanged."


class ProofOfPossessionError(TallystickError):
    """A public file whose enrolment does not prove that the key's holder made it."""

    code = "proof-of-possession"
    why = "An enrolment is signed by the very key that it names, over exactly what the file says."
    advice = "Ask the person for a new public file, made with `tallystick key new`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The keys that a person has proven to hold; `statement` is the proof."""

    person: PersonId
    signing_key: PublicKey
    age_recipient: str
    statement: Envelope


def enrol(person: PersonId, key: SigningKey, *, age_recipient: str, issued_at: datetime) -> Enrolment:
    """Return the self-signed enrolment of `person`; `issued_at` is aware, whole seconds count."""
    body: JsonObject = {
        "age_recipient": checked_age_text(age_recipient, "age_recipient"),
        "issued_at": issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nonce": new_nonce(),
        "person": person,
        "signing_key": key.public_key,
    }
    return verified_enrolment(sign(ENROLMENT_KIND, body, [key]))


def verified_enrolment(statement: Envelope) -> Enrolment:
    """Return the enrolment in `statement`, having verified that the enrolled key alone signed it.

    Raises:
        MalformedError: The statement does not have the form of an enrolment.
        InvalidPointError: The key is of small or mixed order.
        SignatureInvalidError: A signature is not by the enrolled key.
    """
    if kind_of(statement) != ENROLMENT_KIND:
        raise MalformedKeyFileError("not an enrolment", kind=kind_of(statement))
    body = members_of(body_of(statement), where="/enrolment", required=_BODY_MEMBERS)
    key = public_key(text_of(body, "signing_key", where="/enrolment"))
    check_point(key)
    verified_signers(statement, [key])
    return Enrolment(
        person=person_id(text_of(body, "person", where="/enrolment")),
        signing_key=key,
        age_recipient=checked_age_text(text_of(body, "age_recipient", where="/enrolment"), "age_recipient"),
        statement=statement,
    )


def public_file_bytes(enrolment: Enrolment) -> bytes:
    """Return the contents of NAME.pub: canonical JSON and a newline."""
    return canonical_bytes(_file_members(enrolment)) + b"\n"


def read_public_file(data: bytes) -> Enrolment:
    """Return what NAME.pub says, having verified its proof of possession.

    Raises:
        MalformedError: Not a `tallystick.pub/v1` file.
        InvalidPointError: The key is of small or mixed order.
        SignatureInvalidError: The enrolment is not signed by the enrolled key.
        ProofOfPossessionError: The file and its enrolment differ.
    """
    members = members_of(
        parse(data, size_bytes_max=KEY_FILE_SIZE_BYTES_MAX), where="", required=_FILE_MEMBERS
    )
    if members["format"] != PUBLIC_FILE_FORMAT:
        raise MalformedKeyFileError("unknown format", at="/format", expected=PUBLIC_FILE_FORMAT)
    enrolment = verified_enrolment(envelope_from_json(members["enrolment"]))
    proven = _file_members(enrolment)
    for member in ("age_recipient", "person", "signing_key"):
        if members[member] != proven[member]:
            raise ProofOfPossessionError("the enrolment says otherwise", member=member)
    return enrolment


def checked_age_text(text: str, member: str) -> str:
    """Return an age identity or recipient: here opaque, one bounded line of printable ASCII.

    Raises:
        MalformedKeyFileError: Empty, too long, or with other characters.
    """
    if not 0 < len(text) <= AGE_KEY_LENGTH_MAX or not (text.isascii() and text.isprintable()):
        raise MalformedKeyFileError("not an age key", member=member, limit=AGE_KEY_LENGTH_MAX)
    return text


def _file_members(enrolment: Enrolment) -> JsonObject:
    return {
        "age_recipient": enrolment.age_recipient,
        "enrolment": envelope_json(enrolment.statement),
        "format": PUBLIC_FILE_FORMAT,
        "person": enrolment.person,
        "signing_key": enrolment.signing_key,
    }
