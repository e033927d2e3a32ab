"""Every argument and option of every command answers odd values with a sentence and an exit code."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.cli.conftest import Office
from tests.support.command_lines import commands, line, parameters, plain_values
from tests.support.docs import ROOT
from tests.support.worlds.agreements import ANA

EXIT_CODES: Final = {0, 1, 2, 3}
SECONDS_MAX: Final = 10
SPARSE_BYTES: Final = 10 << 30  # whatever reads all of it takes longer than this test
ODD_TEXTS: Final = {
    "empty": "",
    "a zero byte": "a\x00b",
    "a line break": "a\nb",
    "very long": 70_000 * "x",
    "turned and unpaired text": "ä\u202eb\udcff",
    "negative": "-1",
    "a float": "1e3",
    "more digits than a number has": 5_000 * "9",
    "the first year": "0001-01-01T00:00:00Z",
    "the last year": "9999-12-31T23:59:59Z",
    "markup": "[/nothing][bold]",
    "somebody's home who is not there": "~nobody-is-called-so/file",
    "an unclosed quote": "'",
}


def odd_files(folder: Path) -> dict[str, str]:
    """Paths at which there is no sound file; opening the pipe would wait for a writer, for ever."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "binary").write_bytes(bytes(range(256)))
    (folder / "empty").touch()
    (folder / "private").touch(mode=0)
    with (folder / "sparse").open("wb") as sparse:
        sparse.truncate(SPARSE_BYTES)
    names = ("folder", "dangling", "loop", "binary", "empty", "private", "pipe", "sparse")
    return {"device": "/dev/zero"} | {
        name: str(folder / name) for name in (*names, "plain.json/below", "absent")
    }


@contextmanager
def ending_within(seconds: int) -> Generator[None]:
    """Fail where the block waits for something that never comes."""

    def give_up(_number: int, _frame: object) -> None:
        raise AssertionError(f"not answered within {seconds} s")  # no OSError, which commands expect

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def starting_nothing(words: tuple[str, ...], tmp_path: Path) -> dict[str, str]:
    """What keeps `up` and `demo` from starting a site whatever else they are given."""
    if words == ("demo",):
        (tmp_path / "played" / "people").mkdir(parents=True)
        return {"data": str(tmp_path / "played"), "files": str(ROOT / "deploy" / "demo")}
    if words == ("up",):
        url = "postgresql://anna:hunter2@127.0.0.1:1/ledger?connect_timeout=2"
        return {"data": str(tmp_path / "site"), "database_url": url}
    return {}


def would_start(words: tuple[str, ...], name: str, what: str) -> bool:
    """Whether a site would start: `demo` takes any new folder, and without a URL the ledger is a file."""
    if (words, name) == (("demo",), "data"):
        return what not in {"a zero byte", "very long", "binary"}
    return (words, name, what) == (("up",), "database_url", "empty")


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_an_odd_value_is_answered_with_a_sentence(
    words: tuple[str, ...], office: Office, tmp_path: Path
) -> None:
    (tmp_path / "plain.json").write_text("{}")
    odd = {**ODD_TEXTS, **odd_files(tmp_path)}
    known = {"api": office.api.url, "key": str(office.key(ANA)), **starting_nothing(words, tmp_path)}
    plain = plain_values(words, known)
    faults: list[str] = []
    for one in parameters(words):
        takes_file = one.type_descriptor.annotation is Path
        for what, value in (odd if takes_file else ODD_TEXTS).items():
            if would_start(words, one.name, what):
                continue
            given = line(words, {**plain, one.name: value})
            try:
                with ending_within(SECONDS_MAX):
                    ran = office.run(*given)
            except Exception as error:  # noqa: BLE001 - whatever leaves `main` is the fault that is looked for
                faults.append(f"{one.name}: {what}: {type(error).__name__}: {str(error)[:200]}")
                office.captured.readouterr()
                continue
            if (
                ran.code not in EXIT_CODES
                or "Traceback" in ran.err
                or (ran.code and not (ran.err + ran.out).strip())
            ):
                faults.append(f"{one.name}: {what}: exit {ran.code}: {ran.err[-300:]}")
    assert faults == []
