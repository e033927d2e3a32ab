"""Every command meets, once at each path, an answer in sound JSON that is not the server's."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest

from tests.cli.conftest import Office
from tests.support.command_lines import commands, line, plain_values
from tests.support.sites.fake_api import Answer
from tests.support.worlds.agreements import AGREEMENT, ANA
from tests.support.worlds.deliveries import Release

FOREIGN: Final[dict[str, object]] = {
    "an error": {"error": "upstream connect error", "status": 200},
    "a list": ["blocked"],
    "nothing": None,
    "members of other types": {"claims": [7], "items": "x", "entries": {"a": 1}, "envelope": 7},
}
_STARTS_A_SITE: Final = {("up",), ("demo",)}
_GOES_ON: Final = {("claim", "watch")}  # has tests of its own


class OnceAtEachPath(dict[str, list[Answer]]):
    """What answers first wherever something is read, and never again there."""

    def __init__(self, foreign: object) -> None:
        self._foreign = foreign

    def get(self, asked: str, default: object = None) -> list[Answer]:  # pyright: ignore[reportIncompatibleMethodOverride]
        del default
        begins = [] if asked.startswith("POST") else [(200, self._foreign)]
        return self.setdefault(asked, begins)


def words_of(*excepted: Collection[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [words for words in commands() if not any(words in some for some in excepted)]


@pytest.mark.parametrize("words", words_of(_STARTS_A_SITE, _GOES_ON), ids=" ".join)
def test_what_answers_in_the_servers_place_is_reported_as_such(
    words: tuple[str, ...], office: Office, release: Release, tmp_path: Path
) -> None:
    (tmp_path / "plain.json").write_text("{}")
    known = {"api": office.api.url, "key": str(office.key(ANA)), "claim": release.claim}
    given = line(words, plain_values(words, known | {"agreement": AGREEMENT.id, "n": "1"}))
    for foreign in FOREIGN.values():
        office.api.asked.clear()
        office.api.fails = OnceAtEachPath(foreign)
        ran = office.run(*given)
        if office.api.asked:
            assert (ran.code, json.loads(ran.err)["code"]) == (3, "foreign-answer"), (given, ran)
