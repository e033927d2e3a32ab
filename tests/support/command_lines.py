"""The line of every command, with a value for each parameter, as the program itself describes them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from tallystick.cli.main import app, command_names

PLAIN: Final = {Path: "plain.json", int: "1", datetime: "2026-11-24T09:00:00"}
"""What the parameters of a command are given, by type; anything else is given a word."""


def commands() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command."""
    for name in command_names():
        group = getattr(command((name,)), "commands", {})
        yield from ((name, inner) for inner in group) if group else ((name,),)


@cache
def command(words: tuple[str, ...]) -> Any:  # noqa: ANN401 - Typer vendors click, whose types are not ours to name
    """Return the command with these words."""
    found: Any = get_command(app)
    for word in words:
        found = found.get_command(None, word) if hasattr(found, "get_command") else found.commands[word]
    return found


def parameters(words: tuple[str, ...]) -> list[Any]:
    """Return the parameters of a command that take a value."""
    return [
        one
        for one in command(words).params
        if one.name != "help" and one.type_descriptor.annotation is not bool
    ]


def plain_values(words: tuple[str, ...], known: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each parameter that a command must be given; `known` has some, by name."""
    return {
        one.name: known.get(one.name, PLAIN.get(one.type_descriptor.annotation, "plain"))
        for one in parameters(words)
        if one.required or one.name in known
    }


def line(words: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    """Return the command line that gives these parameters these values."""
    options: list[str] = ["--once"] if words[0] == "receive" else []
    arguments: list[str] = []
    for one in parameters(words):
        if one.name in values:
            is_argument = one.param_type_name == "argument"
            (arguments if is_argument else options).extend(
                [values[one.name]] if is_argument else [f"{one.opts[0]}={values[one.name]}"]
            )
    return [*words, *options, "--", *arguments]
