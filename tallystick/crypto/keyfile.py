"""Private key files: NAME.key, JSON `tallystick.key/v1`, mode 0600.

A passphrase may seal it: argon2id then derives the key of a libsodium
secretbox, and what the file asks of argon2id is bounded before it runs. Services
keep their role keys (log, decision) in the same format.
"""

import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import nacl.exceptions
import nacl.secret
import nacl.utils
from nacl.pwhash import argon2id

from tallystick.crypto.enrolment import MalformedKeyFileError, checked_age_text
from tallystick.crypto.json.base64 import base64_bytes, base64_text
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of, text_of
from tallystick.crypto.keys import SEED_SIZE_BYTES, SigningKey
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId, person_id
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.durable import create_durably
from tallystick.limits.sealing import ARGON2_MEMORY_BYTES_MAX, ARGON2_OPERATIONS_MAX, KEY_FILE_SIZE_BYTES_MAX
from tallystick.regular import read_with_facts

KEY_FILE_FORMAT: Final = "tallystick.key/v1"
_PLAIN_MEMBERS: Final = frozenset({"age_identity", "ed25519_seed", "format", "person"})
_SEALED_MEMBERS: Final = frozenset({"format", "sealed"})
_BOX_MEMBERS: Final = frozenset({"box", "kdf", "memory_bytes", "operations", "salt"})
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFileUnreadableError(TallystickError):
    """A key file that the operating system refuses to read or write."""

    code = "key-file-unreadable"
    why = "The operating system refused to open or write the key file."
    advice = "Check the path and its owner; `reason` is what the system said."


class KeyFileExistsError(TallystickError):
    """A key file of that name exists already."""

    code = "key-file-exists"
    why = "A new key never replaces a file: the old key may be the only one that opens something."
    advice = "Choose another name or directory, or move the old file away yourself."


class KeyFileExposedError(TallystickError):
    """A private key file that others on the machine may use."""

    code = "key-file-exposed"
    why = "Only its owner may read or write a private key."
    advice = "Run `chmod 600` on the file; if others may have read it, revoke the key."


class PassphraseNeededError(TallystickError):
    """A sealed key file, and no passphrase was given."""

    code = "passphrase-needed"
    why = "The key file is sealed with a passphrase."
    advice = "Give the passphrase, at the terminal or with `--passphrase-file`."


class PassphraseWrongError(TallystickError):
    """A sealed key file that the given passphrase does not open."""

    code = "passphrase-wrong"
    why = "The passphrase is wrong, or the file was altered."
    advice = "Try again; if the passphrase is right, restore the file from a copy."


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKeys:
    """The keys in NAME.key: one signs, the other opens what is sealed to its holder."""

    person: PersonId
    signing_key: SigningKey
    age_identity: str = field(repr=False)
    """Opaque here: `AGE-SECRET-KEY-PQ-1…` (C2SP age.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingCost:
    """What argon2id spends on one guess of the passphrase."""

    operations: int
    memory_bytes: int


MODERATE: Final = SealingCost(operations=argon2id.OPSLIMIT_MODERATE, memory_bytes=argon2id.MEMLIMIT_MODERATE)
"""libsodium's choice for keys used interactively: 3 passes over 256 MiB."""


def write_key_file(
    path: Path, keys: PrivateKeys, *, passphrase: str | None = None, cost: SealingCost = MODERATE
) -> None:
    """Write a new file of mode 0600 and make it durable; never overwrite.

    Raises:
        KeyFileExistsError: A file of that name exists.
        KeyFileUnreadableError: The system refuses.
        MalformedKeyFileError: The age identity is not one line of ASCII.
    """
    plain = _plain_json(keys)
    contents = plain if passphrase is None else _sealed_json(plain, passphrase, cost)
    try:
        create_durably(path, canonical_bytes(contents) + b"\n")
    except FileExistsError:
        raise KeyFileExistsError(f"{path} exists already", file=path.name) from None
    except OSError as error:
        raise KeyFileUnreadableError(
            f"cannot write {path}: {error.strerror}", file=path.name, reason=error.strerror
        ) from None


def read_key_file(path: Path, *, passphrase: str | None = None) -> PrivateKeys:
    """Return the private keys in the file.

    Raises:
        KeyFileUnreadableError: Missing, not ours to read, or not a regular file.
        KeyFileExposedError: Group or others may read or write it.
        PassphraseNeededError: It is sealed; ask for the passphrase and try again.
        PassphraseWrongError: The passphrase does not open it.
        MalformedError: Not a `tallystick.key/v1` file.
    """
    members = parse(_private_bytes(path), size_bytes_max=KEY_FILE_SIZE_BYTES_MAX)
    if isinstance(members, Mapping) and "sealed" in members:
        sealed = members_of(members, where="", required=_SEALED_MEMBERS)
        _check_format(sealed)
        members = parse(_unsealed(sealed["sealed"], passphrase), size_bytes_max=KEY_FILE_SIZE_BYTES_MAX)
    return _private_keys(members)


def _private_bytes(path: Path) -> bytes:
    try:
        facts, content = read_with_facts(path, KEY_FILE_SIZE_BYTES_MAX)
    except OSError as error:
        raise KeyFileUnreadableError(
            f"cannot read {path}: {error.strerror}", file=path.name, reason=error.strerror
        ) from None
    _check_private(facts.st_mode, path)
    return content


def _check_private(mode: int, path: Path) -> None:
    if mode & _OTHERS:
        raise KeyFileExposedError(
            f"other users may read or write {path}", file=path.name, mode=f"{stat.S_IMODE(mode):04o}"
        )


def _plain_json(keys: PrivateKeys) -> JsonObject:
    return {
        "age_identity": checked_age_text(keys.age_identity, "age_identity"),
        "ed25519_seed": base64_text(keys.signing_key.secret_seed()),
        "format": KEY_FILE_FORMAT,
        "person": keys.person,
    }


def _private_keys(value: JsonValue) -> PrivateKeys:
    members = members_of(value, where="", required=_PLAIN_MEMBERS)
    _check_format(members)
    seed = base64_bytes(text_of(members, "ed25519_seed", where=""), where="/ed25519_seed")
    if len(seed) != SEED_SIZE_BYTES:
        raise MalformedKeyFileError("not 32 bytes", member="ed25519_seed")
    return PrivateKeys(
        person=person_id(text_of(members, "person", where="")),
        signing_key=SigningKey(seed),
        age_identity=checked_age_text(text_of(members, "age_identity", where=""), "age_identity"),
    )


def _check_format(members: JsonObject) -> None:
    if members["format"] != KEY_FILE_FORMAT:
        raise MalformedKeyFileError("unknown format", at="/format", expected=KEY_FILE_FORMAT)


def _sealed_json(plain: JsonObject, passphrase: str, cost: SealingCost) -> JsonObject:
    salt = nacl.utils.random(argon2id.SALTBYTES)
    box = _box(passphrase, salt, cost).encrypt(canonical_bytes(plain))
    sealed: JsonObject = {
        "box": base64_text(bytes(box)),
        "kdf": "argon2id",
        "memory_bytes": cost.memory_bytes,
        "operations": cost.operations,
        "salt": base64_text(salt),
    }
    return {"format": KEY_FILE_FORMAT, "sealed": sealed}


def _unsealed(value: JsonValue, passphrase: str | None) -> bytes:
    members = members_of(value, where="/sealed", required=_BOX_MEMBERS)
    cost = _cost(members)
    salt = base64_bytes(text_of(members, "salt", where="/sealed"), where="/sealed/salt")
    box = base64_bytes(text_of(members, "box", where="/sealed"), where="/sealed/box")
    if members["kdf"] != "argon2id" or len(salt) != argon2id.SALTBYTES:
        raise MalformedKeyFileError("unknown way of sealing", at="/sealed")
    if passphrase is None:
        raise PassphraseNeededError("the key file is sealed with a passphrase, and none was given")
    try:
        return _box(passphrase, salt, cost).decrypt(box)
    except (nacl.exceptions.CryptoError, nacl.exceptions.ValueError):
        raise PassphraseWrongError("the key file does not open with this passphrase") from None


def _cost(members: JsonObject) -> SealingCost:
    """Refuse a cost that no honest file asks for."""
    operations = _bounded(members, "operations", argon2id.OPSLIMIT_MIN, ARGON2_OPERATIONS_MAX)
    memory = _bounded(members, "memory_bytes", argon2id.MEMLIMIT_MIN, ARGON2_MEMORY_BYTES_MAX)
    return SealingCost(operations=operations, memory_bytes=memory)


def _bounded(members: JsonObject, member: str, least: int, most: int) -> int:
    count = members[member]
    if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= most:
        raise MalformedKeyFileError("out of bounds", member=member, least=least, most=most)
    return count


def _prepared(passphrase: str) -> bytes:
    """Return the one spelling of a passphrase, whatever system typed it (RFC 8265 section 4.2.2)."""
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in passphrase)
    return unicodedata.normalize("NFC", spaced).encode()


def _box(passphrase: str, salt: bytes, cost: SealingCost) -> nacl.secret.SecretBox:
    size = nacl.secret.SecretBox.KEY_SIZE
    try:
        key = argon2id.kdf(size, _prepared(passphrase), salt, cost.operations, cost.memory_bytes)
    except nacl.exceptions.RuntimeError:
        raise KeyFileUnreadableError("not enough memory", memory_bytes=cost.memory_bytes) from None
    return nacl.secret.SecretBox(key)
