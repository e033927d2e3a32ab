"""Twelve words for a digest, which two people compare over the telephone instead of 64 hexadecimal digits.

A drafter may choose both documents, and looks for two with the same words. Twelve words of 2,048 have 132
bits, so that takes about 2^66 attempts; and each attempt has to run scrypt (RFC 7914), which needs 32 MiB.
Nobody who compares all twelve can be shown another document than the one they compare.

    raw   = scrypt(the digest's 32 bytes, salt "tallystick.comparison-words/v1", N = 32768, r = 8, p = 1),
            17 bytes of it
    words = the first 132 bits of raw, eleven at a time, each the number of a word of the list, from 0
"""

import functools
import hashlib
import re
from typing import Final

from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, digest, digits_of
from tallystick.domain.word_list import WORDS
from tallystick.limits.documents import COMPARISON_WORDS_KEPT_MAX

COUNT: Final = 12
"""How many words a digest has."""

_BITS: Final = 11
_SALT: Final = b"tallystick.comparison-words/v1"
_COST, _BLOCK_SIZE, _LANES = 2**15, 8, 1
_MEMORY_BYTES_MAX: Final = 2 * 128 * _COST * _BLOCK_SIZE  # OpenSSL's own 32 MiB are a little too few
_SIZE_BYTES: Final = 17
_SEPARATORS: Final = re.compile(r"[\s,-]+")
_KNOWN: Final = frozenset(WORDS)


class MalformedAnchorError(MalformedError):
    """What should name an agreement is neither its digest nor its twelve comparison words."""

    code = "malformed-anchor"
    why = "An agreement is named by its digest, or by all of its twelve comparison words in their order."
    advice = "Write `sha256:` and 64 hexadecimal digits, or the twelve words between quotes."


@functools.lru_cache(maxsize=COMPARISON_WORDS_KEPT_MAX)
def comparison_words(of: Digest) -> tuple[str, ...]:
    """Return the twelve words of a digest; the first time takes about a tenth of a second and 32 MiB."""
    raw = hashlib.scrypt(
        bytes.fromhex(digits_of(of)),
        salt=_SALT,
        n=_COST,
        r=_BLOCK_SIZE,
        p=_LANES,
        maxmem=_MEMORY_BYTES_MAX,
        dklen=_SIZE_BYTES,
    )
    number = int.from_bytes(raw) >> (8 * _SIZE_BYTES - COUNT * _BITS)
    places = range((COUNT - 1) * _BITS, -1, -_BITS)
    return tuple(WORDS[number >> place & (len(WORDS) - 1)] for place in places)


def in_words(of: Digest) -> str:
    """Return the twelve words of a digest as they are shown and read out."""
    return " ".join(comparison_words(of))


def make_words_of(*digests: Digest) -> None:
    """Make the words of digests before they are needed, and before the record of a claim takes its room.

    They are remembered, so the 32 MiB that each takes for a moment do not come on top of the record's.
    """
    for one in digests:
        comparison_words(one)


def anchor(given: str) -> str:
    """Return what a person names an agreement by, in its one form: a digest, or twelve words.

    Raises:
        MalformedAnchorError: Neither; the facts say what is wrong with the words.
    """
    if given.startswith("sha256:"):
        return digest(given)
    words = _SEPARATORS.split(given.strip().lower())
    if unknown := [word for word in words if word not in _KNOWN]:
        raise MalformedAnchorError("not a digest, and not a comparison word", word=unknown[0][:64])
    if len(words) != COUNT:
        raise MalformedAnchorError(
            f"{len(words)} words do not name an agreement", given=len(words), needed=COUNT
        )
    return " ".join(words)


def names(given: str, of: Digest) -> bool:
    """Return whether a digest, or the comparison words of one, names this digest.

    Raises:
        MalformedAnchorError: Neither a digest nor twelve words.
    """
    named = anchor(given)
    return named == (of if named.startswith("sha256:") else in_words(of))
