"""Bech32 (BIP 173) without its length limit: how age writes keys.

Bech32 detects any four mistyped characters; it hides nothing.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final

from tallystick.domain.errors import MalformedError
from tallystick.limits.sealing import AGE_KEY_LENGTH_MAX

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"  # of Python's numbers to base 32
_AS_DIGITS: Final = str.maketrans(_ALPHABET, _DIGITS)
_AS_VALUES: Final = bytes.maketrans(_ALPHABET.encode(), bytes(range(32)))
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_GENERATED: Final = tuple(
    reduce(
        lambda residue, generator: residue ^ generator,
        (generator for place, generator in enumerate(_GENERATOR) if top >> place & 1),
        0,
    )
    for top in range(32)
)
"""What the five bits that leave the residue put back into it: nearly all the time to read a key goes by."""
_CHECKSUM_LENGTH: Final = 6


class MalformedBech32Error(MalformedError):
    """Text that is not Bech32, or was mistyped."""

    code = "malformed-bech32"
    why = "The text is not Bech32, or its checksum shows that it was altered."
    advice = "Copy the key again, whole and without changing the case of any letter."


def encode(prefix: str, payload: bytes) -> str:
    """Return `payload` as lower-case Bech32 under the human-readable `prefix` (BIP 173)."""
    length = -(-8 * len(payload) // 5)
    number = int.from_bytes(payload, "big") << 5 * length - 8 * len(payload)
    values = [number >> 5 * (length - 1 - place) & 31 for place in range(length)]
    residue = _checksum([*_expand(prefix), *values, *[0] * _CHECKSUM_LENGTH]) ^ 1
    tail = [residue >> 5 * (_CHECKSUM_LENGTH - 1 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in (*values, *tail))


def decode(text: str) -> tuple[str, bytes]:
    """Return the prefix, in the case it was written in, and the payload of `text`.

    Raises:
        MalformedBech32Error: Mixed case, a foreign letter, a wrong checksum or padding.
    """
    if len(text) > AGE_KEY_LENGTH_MAX or (text != text.lower() and text != text.upper()):
        raise MalformedBech32Error("too long, or in mixed case")
    prefix, _, tail = text.rpartition("1")
    printed = text.isascii() and text.isprintable() and " " not in text
    if not prefix or len(tail) < _CHECKSUM_LENGTH or not printed:
        raise MalformedBech32Error("no prefix, no checksum, or a letter outside ASCII")
    letters = tail.lower()
    values = letters.encode().translate(_AS_VALUES)
    if not set(letters) <= set(_ALPHABET) or _checksum([*_expand(prefix.lower()), *values]) != 1:
        raise MalformedBech32Error("a letter outside the alphabet, or a wrong checksum")
    return prefix, _payload(letters[:-_CHECKSUM_LENGTH])


def _payload(letters: str) -> bytes:
    """Return the bytes that letters of five bits each spell."""
    size, spare = divmod(5 * len(letters), 8)
    number = int(letters.translate(_AS_DIGITS), 32) if letters else 0
    if spare >= 5 or number & (1 << spare) - 1:  # noqa: PLR2004 - a whole letter
        raise MalformedBech32Error("padding that is too long or not zero")
    return (number >> spare).to_bytes(size, "big")


def _checksum(values: Iterable[int]) -> int:
    residue = 1
    for value in values:
        residue = (residue & 0x1FFFFFF) << 5 ^ value ^ _GENERATED[residue >> 25]
    return residue


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]
