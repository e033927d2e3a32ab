"""The `tallystick` command: what can be done from a shell, and how it ends.

Exit codes: 0 done, 1 refused (standard error says why and what to do: in sentences at a terminal, as JSON
with `--json` or in a pipe), 2 wrong usage, 3 the server did not answer, 4 evidence that holds, but that
nothing ties to an agreement (`evidence verify` without `--trust`). Each command's module is imported only
when it is called.
"""

import contextlib
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import tallystick
from tallystick.cli.beginning import Beginning
from tallystick.cli.surroundings import make_usable

if TYPE_CHECKING:
    from tallystick.domain.errors import TallystickError

EXIT_REFUSED: Final = 1
EXIT_UNREACHABLE: Final = 3

_UNREACHABLE: Final = frozenset({"unreachable", "foreign-answer", "database-unreachable"})

_ACTS: Final = "commands.acts"

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "up": "commands.up",
        "demo": "demo.play",
        "key": "commands.keys",
        "agreement": "commands.agreements",
        "deposit": "commands.deposits",
        "custody": "commands.custody",
        "claim": "commands.claims",
        "inbox": "commands.claims",
        "revoke": "commands.revoke",
        "receive": "commands.receive",
        "evidence": "commands.evidence",
        "ledger": "commands.ledgers",
        "letter": "commands.letters",
        "age": "commands.age",
    }
)
"""Every command but those of acts, and the module of this package that has it."""

PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "up": "Start a Temporal server, the worker, the gate and the API, and stop them all on Ctrl-C.",
        "demo": "Show one claim released, one rolled back and one stopped, on real processes.",
        "key": "Make a person's keys, and show them.",
        "agreement": "Start, check, sign, register and read agreements.",
        "deposit": "Make deposits, and look at earlier ones.",
        "custody": "See who holds the keys to the components.",
        "claim": "File a claim, and follow it.",
        "inbox": "List what is waiting for you, as the server says; `claim show` verifies a claim.",
        "revoke": "Revoke a key: what it signed no longer counts for anything that is still undecided.",
        "receive": "Fetch, verify, open and activate what was released, stage by stage; "
        "roll back what must go back.",
        "evidence": "Export a claim's evidence, and verify it offline.",
        "ledger": "Verify an agreement's ledger, and compare checkpoints.",
        "letter": "Check a letter of the escrow engine.",
        "age": "Encrypt and decrypt age files.",
    }
)
"""What each of them is for, as `--help` lists it; a test compares this with what the command says itself."""

_ACTS_FOLLOW: Final = "inbox"


def command_names() -> Iterator[str]:
    """Yield the name of every command, in the order of `--help`; the acts name their own."""
    from tallystick.domain.acts.all import BY_COMMAND  # noqa: PLC0415 - `--version` needs none of it

    for name in COMMANDS:
        yield name
        if name == _ACTS_FOLLOW:
            yield from BY_COMMAND


class OnDemand(TyperGroup):
    """A group whose commands are imported when they are called, so that the others cost nothing."""

    _listing = False

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002 - as below
        """Return the names of all commands."""
        return list(command_names())

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ANN401, ARG002 - click's own signature
        """Return the command called `cmd_name`, or None; while commands are listed, only what it is for."""
        if self._listing:
            return TyperCommand(cmd_name, help=_purpose(cmd_name))
        return _loaded(COMMANDS.get(cmd_name, _ACTS), cmd_name)

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401 - as above
        """Write the help of all commands, and import none of them."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


app = typer.Typer(cls=OnDemand, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def _purpose(name: str) -> str:
    from tallystick.domain.acts.all import BY_COMMAND  # noqa: PLC0415 - as above

    command = BY_COMMAND[name].command if name in BY_COMMAND else None
    return PURPOSES[name] if command is None else command.purpose


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(tallystick.__version__)
        raise typer.Exit


@app.callback()
def _start(
    context: typer.Context,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="A file whose first line is your key's passphrase.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Release escrowed software once everyone who must agree has signed.

    `tallystick demo` shows a whole release on this machine; `tallystick up` starts a site of your own.
    Most commands need the server (--api) and your private key (--key): set TALLYSTICK_API and
    TALLYSTICK_KEY once. Exit codes: 0 done, 1 refused (standard error says why and what to do: in
    sentences at a terminal, as JSON with --json or in a pipe), 2 wrong usage, 3 the server did not answer,
    4 evidence that holds, verified without --trust.
    """
    del version  # its callback has printed it
    context.obj = Beginning(passphrase_file=passphrase_file, pause=context.obj)


def main(arguments: Sequence[str] | None = None, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Run the command line, this process's if no arguments are given, and end with its exit code.

    Where a command waits for the server, it calls `pause` with the seconds.
    """
    from tallystick.domain.errors import TallystickError  # noqa: PLC0415 - `--version` needs none of it

    make_usable()
    try:
        app(args=arguments, prog_name="tallystick", obj=pause)
    except TallystickError as error:
        _end(error, as_json=_wants_json(arguments))
    except OSError as error:  # a file or folder that the user named; commands catch most of these themselves
        from tallystick.desk.files import FileUnusableError  # noqa: PLC0415 - as above

        place = str(error.filename or "what it writes to")
        reason = error.strerror or str(error)
        unusable = FileUnusableError(f"cannot use {place}: {reason}", file=place, reason=reason)
        _end(unusable, as_json=_wants_json(arguments))


def _wants_json(arguments: Sequence[str] | None) -> bool:
    return "--json" in (sys.argv[1:] if arguments is None else arguments)


def _end(error: "TallystickError", *, as_json: bool) -> NoReturn:
    """Print a refusal, where that is possible, and end with its exit code."""
    from tallystick.cli.output import print_problem  # noqa: PLC0415 - as in `main`

    with contextlib.suppress(OSError):  # whoever cannot be told has the exit code
        print_problem(error, as_json=as_json)
    sys.exit(EXIT_UNREACHABLE if error.code in _UNREACHABLE else EXIT_REFUSED)


def _loaded(module: str, name: str) -> Any:  # noqa: ANN401 - Typer vendors click, whose types are not ours to name
    return _made(importlib.import_module(f"tallystick.cli.{module}"), module, name)


@cache  # Typer asks twice for each command that it runs, and would make a whole group of commands each time
def _made(imported: ModuleType, module: str, name: str) -> Any:  # noqa: ANN401 - as above
    group = get_command(imported.app if hasattr(imported, "app") else _alone(getattr(imported, name)))
    commands: Mapping[str, Any] = getattr(group, "commands", {})
    if module == _ACTS and name not in commands:
        return None
    command = commands.get(name, group)
    command.name = name
    return command


def _alone(function: Callable[..., None]) -> typer.Typer:
    """Return an application that has one command."""
    application = typer.Typer(add_completion=False)
    application.command()(function)
    return application


if __name__ == "__main__":
    main()
