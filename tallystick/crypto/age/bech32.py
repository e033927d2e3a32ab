"""Bech32 (BIP 173) without its length limit: how age writes keys.

Bech32 detects any four mistyped characters; it hides nothing.
"""

from collections.abc import Iterable
from typing import Final

from tallystick.domain.errors import MalformedError
from tallystick.limits.sealing import AGE_KEY_LENGTH_MAX

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE_OF: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH: Final = 6


class MalformedBech32Error(MalformedError):
    """Text that is not Bech32, or was mistyped."""

    code = "malformed-bech32"
    why = "The text is not Bech32, or its checksum shows that it was altered."
    advice = "Copy the key again, whole and without changing the case of any letter."


def encode(prefix: str, payload: bytes) -> str:
    """Return `payload` as lower-case Bech32 under the human-readable `prefix` (BIP 173)."""
    values = _regroup(payload, 8, 5, pad=True)
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
    if not prefix or len(tail) < _CHECKSUM_LENGTH or not all("!" <= letter <= "~" for letter in text):
        raise MalformedBech32Error("no prefix, no checksum, or a letter outside ASCII")
    values = [_VALUE_OF.get(letter, -1) for letter in tail.lower()]
    if -1 in values or _checksum([*_expand(prefix.lower()), *values]) != 1:
        raise MalformedBech32Error("a letter outside the alphabet, or a wrong checksum")
    return prefix, bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _checksum(values: Iterable[int]) -> int:
    residue = 1
    for value in values:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                residue ^= generator
    return residue


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _regroup(values: Iterable[int], width: int, into: int, *, pad: bool) -> list[int]:
    accumulator = bits = 0
    groups: list[int] = []
    for value in values:
        accumulator = (accumulator << width | value) & (1 << width + into) - 1
        bits += width
        while bits >= into:
            bits -= into
            groups.append(accumulator >> bits & (1 << into) - 1)
    rest = accumulator & (1 << bits) - 1
    if pad and bits:
        groups.append(rest << into - bits)
    elif not pad and (bits >= width or rest):
        raise MalformedBech32Error("padding that is too long or not zero")
    return groups
