"""What commands print: JSON with `--json`, and otherwise what a person reads.

Results go to standard output; questions, progress and problems to standard error. Whatever a line has in it,
it is printed as one line (`quoting.one_line`); where a terminal is narrower, in rows that show it (`rows`).
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tallystick.cli.rows import columns_of, rows
from tallystick.client.answers import unreadable_in
from tallystick.domain.errors import Fact, TallystickError, told
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.domain.quoting import escaped_json, one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

_LEFT_OUT_NAMED: Final = 10  # of what a list leaves out; how many there are is said as well
_TABLE_LENGTH_MAX: Final = 256 * 1024  # characters; a table of a thousand claims has half of that

_UNBOUNDED: Final = 1_000_000  # columns of a pipe: no cell is wrapped there


def print_json(document: JsonValue) -> None:
    """Print a document for machines."""
    typer.echo(_json(document, sys.stdout))


def print_result(document: JsonObject, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a document for machines, or lines for people."""
    if as_json:
        print_json(document)
        return
    for line in lines:
        print_line(line)


def print_table(
    document: JsonObject, columns: Sequence[str], cells: Iterable[Sequence[object]], *, as_json: bool
) -> None:
    """Print a document for machines, or its rows as a table for people; one that is too long, row by row."""
    if as_json:
        print_json(document)
        return
    texts = [[one_line(shown(cell)) for cell in row] for row in cells]
    if (
        sum(1 + len(text) for row in texts for text in row) > _TABLE_LENGTH_MAX
    ):  # it would take minutes to lay out
        for row in (columns, *texts):
            _print("  ".join(row), sys.stdout)
        return
    _show(laid_out(columns, texts))


def laid_out(columns: Sequence[str], texts: Iterable[Sequence[str]]) -> Table:
    """Return rows as a table that cuts no cell: what is too long for its column goes on below."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))  # plain text: others wrote it
    return table


def print_line(line: str) -> None:
    """Print one line of a result, on standard output."""
    _print(one_line(line), sys.stdout)


def say(line: str) -> None:
    """Print a line for a person to read, on standard error."""
    _print(one_line(line), sys.stderr)


def say_unverified(verifying: str, *, as_json: bool) -> None:
    """Say, unless a machine reads, that the result is the server's word, and which command verifies it."""
    if not as_json:
        say(f"not verified: the server says this; `tallystick {verifying}` verifies what was signed")


def say_left_out(answer: JsonObject, *, as_json: bool) -> None:
    """Say, unless a machine reads, what is missing from a list because the server cannot read it."""
    missing = unreadable_in(answer)
    if missing and not as_json:
        names = ", ".join([*missing[:_LEFT_OUT_NAMED], *(["…"] if missing[_LEFT_OUT_NAMED:] else [])])
        say(f"missing here ({len(missing)}): {names}: the server's record of this is damaged")
        say("tell the deployment's operators, and do not take what you see for all there is")


def print_problem(error: TallystickError, *, as_json: bool = False) -> None:
    """Print a refusal on standard error: in sentences at a terminal, and for programs as the API would."""
    if sys.stderr.isatty() and not as_json:
        for line in _sentences(error):
            say(line)
        return
    typer.echo(_json(_problem(error), sys.stderr), err=True)


def _sentences(error: TallystickError) -> Iterator[str]:
    """Yield what happened, with its facts, and then why that is refused and what to do."""
    yield f"refused: {error.message}"
    for name, fact in error.facts.items():
        yield from _fact_lines(name.replace("_", " "), fact)
    yield error.why
    yield error.advice
    yield f"(code {error.code})"


def _fact_lines(name: str, fact: Fact) -> Iterator[str]:
    """Yield a line for a fact, or one for each of several that have parts of their own."""
    listed = fact if isinstance(fact, Sequence) and not isinstance(fact, str) else [fact]
    if any(isinstance(one, Mapping) for one in listed):
        yield from (f"  {name}: {_parts(one)}" for one in listed)
    else:
        yield f"  {name}: {', '.join(map(told, listed)) or 'none'}"


def _parts(fact: Fact) -> str:
    if not isinstance(fact, Mapping):
        return told(fact)
    return "; ".join(f"{key.replace('_', ' ')} {told(value)}" for key, value in fact.items())


def _problem(error: TallystickError) -> JsonObject:
    """Return a refusal as problem details (RFC 9457)."""
    return {
        "type": f"urn:tallystick:problem:{error.code}",
        "title": error.why,
        "detail": error.message,
        "code": error.code,
        "facts": _plain(error.facts),
        "advice": error.advice,
        "retryable": error.retryable,
    }


def shown(value: object) -> str:
    """Return a JSON value as a cell of a table shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _print(line: str, out: TextIO) -> None:
    for row in rows(line, columns_of(out)):
        typer.echo(row, file=out)


def _json(document: JsonValue, out: TextIO) -> str:
    """Return a document as JSON, in ASCII where `out` cannot write every character."""
    unicode = (out.encoding or "").lower().replace("-", "").startswith("utf")
    return escaped_json(json.dumps(document, indent=2, ensure_ascii=not unicode))


def _plain(value: Fact) -> JsonValue:
    """Return a fact as JSON: tuples become lists."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _show(table: "RenderableType") -> None:
    width = None if sys.stdout.isatty() else _UNBOUNDED
    Console(file=sys.stdout, highlight=False, width=width).print(table)
