"""Wherever a command is started, it answers: closed streams, a full disk, no home, another locale."""

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest

from tests.cli.conftest import Office
from tests.support.command_lines import commands, line, plain_values
from tests.support.docs import ROOT
from tests.support.worlds.agreements import ANA

EXIT_CODES: Final = {0, 1, 2, 3}
STARTS_A_SITE: Final = {"up", "demo"}
SURROUNDINGS: Final = {
    "no standard output": ">&-",
    "no streams": "<&- >&- 2>&-",
    "a full disk for the output": ">/dev/full",
    "a full disk for messages": "2>/dev/full",
    "a reader that has left": "| true",
    "no home, a dumb terminal without a width": "-u HOME TERM=dumb COLUMNS=0",
    "a terminal of one column": "COLUMNS=1",
    "a width of many digits": f"COLUMNS={6_000 * '9'}",
    "the locale C": "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0",
    "bytes in the environment that are no text": "TALLYSTICK_KEY=$(printf '\\377') TALLYSTICK_API=$(printf 'http://\\377')",
    "no file may grow": "ulimit -f 0;",
    "the folder is gone": 'gone="$(mktemp -d)"; cd "$gone"; rmdir "$gone";',
}


def lines(office: Office) -> list[list[str]]:
    """Every command that starts no site."""
    known = {"api": office.api.url, "key": str(office.key(ANA)), "out": str(office.folder / "out")}
    words = [one for one in commands() if one[0] not in STARTS_A_SITE]
    return [line(one, plain_values(one, known)) for one in words]


def few(office: Office) -> list[list[str]]:
    """One command of each kind: help, what reads, what writes, what streams, what asks the server."""
    kinds = (["age", "encrypt"], ["agreement", "check"], ["key", "new"], ["key", "show"], ["inbox"])
    shown = ["key", "show", "--json", str(office.key(ANA))]
    return [["key", "--help"], shown, *(one for one in lines(office) if one[:2] in kinds or one[:1] in kinds)]


def ended(office: Office, surroundings: str, given: list[list[str]]) -> list[dict[str, Any]]:
    """How each of these command lines ended there."""
    (office.folder / "lines.json").write_text(json.dumps(given), encoding="utf-8")
    (office.folder / "plain.json").write_text("{}", encoding="utf-8")
    before, env, after = "", "", ""
    if surroundings.endswith(";"):
        before = surroundings
    elif "=" in surroundings:
        env = surroundings
    else:
        after = surroundings
    reading, writing = os.pipe()
    program = f'"{sys.executable}" -m tests.support.every_command "{office.folder}/lines.json" {writing}'
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{before} env {env} {program} {after}"],
        cwd=office.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ):
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as report:
            return [json.loads(each) for each in report]


def refused(office: Office, surroundings: str, given: list[list[str]]) -> list[dict[str, Any]]:
    """The command lines that did not end as a command ends."""
    told = ended(office, surroundings, given)
    assert {tuple(one["words"]) for one in told} == {tuple(words) for words in given}
    return [one for one in told if "fault" in one or one["code"] not in EXIT_CODES]


def test_every_command_answers_without_streams_home_or_locale(office: Office) -> None:
    assert refused(office, f"{SURROUNDINGS['the locale C']} HOME=/nonexistent", lines(office)) == []
    assert refused(office, SURROUNDINGS["no streams"], lines(office)) == []


@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_commands_answer(surroundings: str, office: Office) -> None:
    assert refused(office, surroundings, few(office)) == []


def test_output_that_did_not_fit_is_not_called_done(office: Office) -> None:
    (shown,) = ended(office, ">/dev/full", [["key", "--help"]])
    assert shown["code"] == 1
    (kept,) = ended(office, ">/dev/full", [["key", "show", str(office.key(ANA))]])
    assert kept["code"] == 1


def test_a_help_page_can_be_read_in_any_width(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1")
    assert "Release escrowed software" in office.run("--help").out


def test_every_command_is_among_the_lines(office: Office) -> None:
    assert len(lines(office)) > 40
    assert len(few(office)) == 7
