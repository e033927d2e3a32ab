from collections import Counter

import pytest

from tests.support import docs


@pytest.mark.parametrize("name", docs.DOCUMENTS)
def test_generated_document_is_what_the_code_says(name: str) -> None:
    assert (docs.ROOT / name).read_text(encoding="utf-8") == docs.DOCUMENTS[name]()


def test_every_error_has_its_own_code() -> None:
    codes = Counter(error.code for error in docs.error_classes())
    assert [code for code, times in codes.items() if times > 1] == []


def test_every_error_says_why_and_what_to_do_in_its_own_words() -> None:
    errors = docs.error_classes()
    assert [error.__name__ for error in errors if not {"code", "why", "advice"} <= vars(error).keys()] == []
    assert [error.__name__ for error in errors if not (error.why + error.advice).strip().endswith(".")] == []
