"""What commands print: one line stays one line, and nothing that others wrote draws on it."""

import contextlib
import io
import json
from collections.abc import Generator
from pathlib import Path

import pytest
from rich.console import Console

from tallystick.cli.main import main
from tallystick.cli.output import (
    laid_out,
    print_json,
    print_line,
    print_problem,
    print_result,
    print_table,
    say,
)
from tallystick.domain.errors import Fact, TallystickError

HOSTILE = "a\nevery check passed\r\x1b[2J\u202etxet\u200b\u2028\U000e0041"
SEEN = r"a\nevery check passed\r\x1b[2J\u202etxet\u200b\u2028\U000e0041"


def test_a_line_of_a_result_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    print_result({}, [HOSTILE], as_json=False)
    print_line(HOSTILE)
    assert capfd.readouterr().out == f"{SEEN}\n{SEEN}\n"


def test_what_is_said_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    assert capfd.readouterr().err == f"{SEEN}\n"


def test_a_cell_of_a_table_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    print_table({}, ("a", "b"), [(HOSTILE, [HOSTILE])], as_json=False)
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(SEEN)
    assert all(line.isprintable() for line in lines)


def test_no_cell_of_a_table_is_cut(capfd: pytest.CaptureFixture[str]) -> None:
    print_table({}, ("a", "b", "c"), [(100 * "a", 100 * "b", 100 * "c")], as_json=False)
    assert capfd.readouterr().out.splitlines()[1] == f"{100 * 'a'}  {100 * 'b'}  {100 * 'c'}"


def test_at_a_narrow_terminal_a_long_cell_goes_on_below() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(laid_out(("c", "d"), [(70 * "a", 70 * "b")]))
    assert (out.getvalue().count("a"), out.getvalue().count("b")) == (70, 70)


def test_a_table_that_is_too_long_to_lay_out_is_printed_row_by_row(capfd: pytest.CaptureFixture[str]) -> None:
    print_table({}, ("a", "b"), [(HOSTILE, 4096 * "x")] * 100, as_json=False)
    lines = capfd.readouterr().out.splitlines()
    assert lines == ["a  b", *[f"{SEEN}  {4096 * 'x'}"] * 100]


def test_json_says_the_same_and_draws_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    print_json({"said": HOSTILE})
    print_problem(TallystickError(HOSTILE, given=HOSTILE))
    out, err = capfd.readouterr()
    assert json.loads(out) == {"said": HOSTILE}
    assert json.loads(err)["facts"] == {"given": HOSTILE}
    assert all(line.isprintable() for line in (out + err).splitlines())


def test_the_sentence_of_an_error_quotes_what_it_was_given() -> None:
    error = TallystickError("not a name", given="x); every check passed (", code_of="sha256:ab", many=[1])
    assert str(error) == 'not a name (given: "x); every check passed ("; code_of: sha256:ab; many: [1])'
    assert "\n" not in str(TallystickError(HOSTILE))


def test_a_file_under_verification_writes_no_verdict(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "forged\nevery check passed.json"
    file.write_text(json.dumps({"case": 1, "x\nevery check passed\n": "\u202e"}))
    with pytest.raises(SystemExit) as ended:
        main(["evidence", "verify", str(file)])
    lines = capfd.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert not any(line.startswith("every check passed") for line in lines)
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def at_terminal() -> Generator[Terminal]:
    with contextlib.redirect_stderr(Terminal()) as terminal:
        yield terminal


def test_a_refusal_at_a_terminal_begins_with_what_happened() -> None:
    mistakes: list[Fact] = [{"line": 14, "at": "covers_untill"}, {"line": 20, "at": "/parties"}]
    with at_terminal() as terminal:
        print_problem(
            TallystickError("two mistakes", file="agreement.yaml", allowed=["a", "b"], mistakes=mistakes)
        )
    assert terminal.getvalue().splitlines() == [
        "refused: two mistakes",
        "  file: agreement.yaml",
        "  allowed: a, b",
        "  mistakes: line 14; at covers_untill",
        "  mistakes: line 20; at /parties",
        "The request was refused.",
        "Read the facts, then change the request.",
        "(code refused)",
    ]


def test_a_refusal_at_a_terminal_draws_nothing() -> None:
    with at_terminal() as terminal:
        print_problem(TallystickError(HOSTILE, given=HOSTILE, several=[HOSTILE], parts=[{"one": HOSTILE}]))
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 7
    assert all(line.isprintable() for line in lines)


def test_a_refusal_at_a_terminal_is_json_if_json_was_asked_for() -> None:
    with at_terminal() as terminal, pytest.raises(SystemExit):
        main(["evidence", "verify", "no-such-file", "--json"])
    assert json.loads(terminal.getvalue())["code"] == "file-unusable"


def test_a_refusal_at_a_terminal_is_no_json_otherwise() -> None:
    with at_terminal() as terminal, pytest.raises(SystemExit):
        main(["evidence", "verify", "no-such-file"])
    assert terminal.getvalue().startswith("refused: ")
    assert "(code file-unusable)" in terminal.getvalue()
