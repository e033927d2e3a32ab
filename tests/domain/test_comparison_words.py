"""Six words of a digest: the same for the same digest, others for others."""

from tallystick.domain.comparison_words import COUNT, WORDS, six_words
from tallystick.domain.ids import Digest


def digest(start: str) -> Digest:
    return Digest("sha256:" + start + (64 - len(start)) * "0")


def test_the_first_six_bytes_are_said_one_word_each() -> None:
    assert six_words(digest("000102030405")) == WORDS[:6]
    assert six_words(digest("ff" * 6)) == (WORDS[255],) * COUNT


def test_a_change_in_any_of_the_six_bytes_changes_its_word_only() -> None:
    words = six_words(digest(""))
    for place in range(COUNT):
        changed = six_words(digest("00" * place + "01"))
        assert [a != b for a, b in zip(words, changed, strict=True)] == [at == place for at in range(COUNT)]


def test_words_are_easy_to_read_out_over_the_telephone() -> None:
    assert len(set(WORDS)) == 256
    assert tuple(sorted(WORDS)) == WORDS
    assert all(word.isascii() and word.islower() and 4 <= len(word) <= 9 for word in WORDS)


def test_the_list_is_pinned_because_people_compare_it_between_versions() -> None:
    assert (WORDS[0], WORDS[17], WORDS[128], WORDS[255]) == PINNED


PINNED = ("acorn", "badger", "ivory", "zebra")
