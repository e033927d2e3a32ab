"""Twelve words of a digest: the same in every language, and dear to anyone who looks for two documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tallystick.domain.comparison_words import (
    COUNT,
    MalformedAnchorError,
    anchor,
    comparison_words,
    in_words,
    names,
)
from tallystick.domain.errors import MalformedNameError
from tallystick.domain.ids import Digest
from tallystick.domain.word_list import WORDS
from tallystick.limits.documents import COMPARISON_WORDS_KEPT_MAX
from tests.support.worlds.groundwork import some_digest

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("comparison_words.json").read_text(encoding="utf-8")
)["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["digest"][-8:] for vector in VECTORS])
def test_every_language_finds_these_words(vector: dict[str, Any]) -> None:
    assert comparison_words(vector["digest"]) == tuple(vector["words"])


def test_the_words_are_the_first_132_bits_of_scrypt_with_its_whole_cost() -> None:
    of = some_digest(1)
    scrypt = Scrypt(salt=b"tallystick.comparison-words/v1", length=17, n=2**15, r=8, p=1)
    bits = "".join(f"{byte:08b}" for byte in scrypt.derive(bytes.fromhex(of[7:])))
    expected = [WORDS[int(bits[11 * place : 11 * place + 11], 2)] for place in range(COUNT)]
    assert list(comparison_words(of)) == expected


def test_a_change_anywhere_in_a_digest_changes_nearly_every_word() -> None:
    last = comparison_words(Digest("sha256:" + 63 * "0" + "1"))
    same = sum(a == b for a, b in zip(comparison_words(Digest("sha256:" + 64 * "0")), last, strict=True))
    assert same <= 1


def test_the_list_has_a_word_for_every_eleven_bits_and_four_letters_tell_them_apart() -> None:
    assert len(WORDS) == 2**11
    assert len({word[:4] for word in WORDS}) == 2**11
    assert tuple(sorted(WORDS)) == WORDS
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 8 for word in WORDS)


def test_an_agreement_is_named_by_its_digest_or_its_words_however_they_are_written_down() -> None:
    of, words = some_digest(2), in_words(some_digest(2))
    for given in (of, words, words.upper(), words.replace(" ", "-"), f"  {words.replace(' ', ', ')}\n"):
        assert names(given, of)
        assert not names(given, some_digest(3))
    swapped = " ".join(reversed(words.split()))
    assert not names(swapped, of)


@pytest.mark.parametrize("count", [1, 6, 11, 13])
def test_fewer_words_than_all_name_nothing(count: int) -> None:
    with pytest.raises(MalformedAnchorError, match="do not name an agreement") as refused:
        anchor(" ".join(WORDS[:count]))
    assert refused.value.facts == {"given": count, "needed": COUNT}


def test_a_word_that_is_none_is_named() -> None:
    with pytest.raises(MalformedAnchorError) as refused:
        anchor("abandon ability abel")
    assert refused.value.facts == {"word": "abel"}
    with pytest.raises(MalformedNameError):
        anchor("sha256:12")


def test_a_process_remembers_only_so_many_words() -> None:
    assert comparison_words.cache_info().maxsize == COMPARISON_WORDS_KEPT_MAX
