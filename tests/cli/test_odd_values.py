"""Every argument and option of every command answers odd values with a sentence and an exit code."""

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from typer.main import get_command

from tallystick.cli.main import app, command_names
from tests.cli.conftest import Office
from tests.support.worlds.agreements import ANA

EXIT_CODES: Final = {0, 1, 2, 3}
SECONDS_MAX: Final = 10
SPARSE_BYTES: Final = 10 << 30  # whatever reads all of it takes longer than this test
STARTS_A_SITE: Final = {"up", "demo"}
"""These start a server with what they are given; tests/stack looks at them."""

PLAIN: Final = {Path: "plain.json", int: "1", datetime: "2026-11-24T09:00:00"}
"""What the other parameters of a command are given, by type; anything else is given a word."""

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


def commands() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command."""
    for name in command_names():
        group = getattr(command((name,)), "commands", {})
        yield from ((name, inner) for inner in group) if group else ((name,),)


def command(words: tuple[str, ...]) -> Any:  # noqa: ANN401 - Typer vendors click, whose types are not ours to name
    found: Any = get_command(app)
    for word in words:
        found = found.get_command(None, word) if hasattr(found, "get_command") else found.commands[word]
    return found


def parameters(words: tuple[str, ...]) -> list[Any]:
    return [
        one
        for one in command(words).params
        if one.name != "help" and one.type_descriptor.annotation is not bool
    ]


def line(words: tuple[str, ...], values: dict[str, str]) -> list[str]:
    """The command line that gives these parameters these values."""
    options: list[str] = []
    arguments: list[str] = []
    for one in parameters(words):
        if one.name in values:
            is_argument = one.param_type_name == "argument"
            (arguments if is_argument else options).extend(
                [values[one.name]] if is_argument else [f"{one.opts[0]}={values[one.name]}"]
            )
    return [*words, *options, "--", *arguments]


@pytest.mark.parametrize(
    "words", [words for words in commands() if words[0] not in STARTS_A_SITE], ids=" ".join
)
def test_an_odd_value_is_answered_with_a_sentence(
    words: tuple[str, ...], office: Office, tmp_path: Path
) -> None:
    (tmp_path / "plain.json").write_text("{}")
    odd = {**ODD_TEXTS, **odd_files(tmp_path)}
    plain = {
        one.name: PLAIN.get(one.type_descriptor.annotation, "plain")
        for one in parameters(words)
        if one.required
    }
    known = {"api": office.api.url, "key": str(office.key(ANA))}
    plain |= {name: value for name, value in known.items() if any(p.name == name for p in parameters(words))}
    faults: list[str] = []
    for one in parameters(words):
        takes_file = one.type_descriptor.annotation is Path
        for what, value in (odd if takes_file else ODD_TEXTS).items():
            given = line(words, {**plain, one.name: value})
            if words[0] == "receive":
                given.insert(1, "--once")
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
