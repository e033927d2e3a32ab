"""What people say about a claim: one command for each act that has one, made from what the act declares.

Several people sign one act by passing on its envelope: the first writes it with `--out FILE`; each of the
others adds a signature with `--cosign FILE`, and passes it on with `--out` or sends it. `--send FILE`
sends it as it is.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted, Yes
from tallystick.cli.signing import Manner, send, state, state_together, state_with_documents
from tallystick.desk.claims import open_claim
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.documents.sealing import FileToSeal
from tallystick.domain.acts.act import Act
from tallystick.domain.acts.all import BY_COMMAND
from tallystick.domain.codec import instant
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.command import ActCommand, Ask, Form
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import digest
from tallystick.proof.case import Case

app = typer.Typer(add_completion=False)

Out = Annotated[
    Path | None, typer.Option("--out", help="Write the signed envelope to this file instead of sending it.")
]
Cosign = Annotated[
    Path | None, typer.Option("--cosign", help="Add your signature to the envelope in this file.")
]
Send = Annotated[Path | None, typer.Option("--send", help="Send the envelope in this file as it is.")]

_DOCUMENT: Final = re.compile(r"([A-Za-z0-9_-]{1,48})(?:@([0-9TZ:-]{1,20}))?=(.+)", re.ASCII | re.DOTALL)
_PASSING: Final[Mapping[str, object]] = MappingProxyType({"out": Out, "cosign": Cosign, "send": Send})


def add(act: Act[Any], app: typer.Typer) -> None:
    """Give `app` the command with which a person makes `act`."""
    command = act.command
    assert command is not None

    def run(context: typer.Context, claim: str, api: str, key: Path, **given: Any) -> None:  # noqa: ANN401 - by ask
        passing = {name: given.pop(name) for name in _PASSING if name in given}
        manner = Manner(yes=given.pop("yes"), as_json=given.pop("as_json"), **passing)
        trusted, choices, files = given.pop("trust"), _choices(command, given), _files(command, given)
        with opened(context, api, key) as desk:
            case = open_claim(desk, claim, at=now(), trusted=trusted)
            if manner.send is not None:
                send(desk, case, act, manner.send, manner)
            elif manner.cosign is not None:
                state_together(desk, case, act, manner.cosign, manner)
            else:
                _state(desk, case, act, choices, manner, files=files)

    parameters = list(_parameters(command, act))
    # Typer reads a command's interface from its signature, which is made here from the act's questions.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(command.name, help=command.purpose)(run)


def _state(
    desk: Desk, case: Case, act: Act[Any], choices: Choices, manner: Manner, *, files: Sequence[FileToSeal]
) -> None:
    """State it; a missing answer is wrong usage."""
    try:
        if files:
            state_with_documents(desk, case, act, choices, manner, files=files)
        else:
            state(desk, case, act, choices, manner)
    except DraftIncompleteError as error:
        asks = act.command.asks if act.command is not None else ()
        missing = next((ask.name for ask in asks if ask.choice == error.facts["missing"]), "")
        unless = ", unless you --cosign or --send" if act.together else ""
        raise typer.BadParameter(f"--{missing} is needed{unless}: {error.message}") from error


def _parameters(command: ActCommand, act: Act[Any]) -> Iterator[inspect.Parameter]:
    yield _parameter("context", typer.Context)
    yield _parameter("claim", ClaimName)
    yield from (_asked(ask) for ask in command.asks if ask.argument)
    yield _parameter("api", Api)
    yield _parameter("key", Key)
    yield from (_asked(ask, left_out=act.together) for ask in command.asks if not ask.argument)
    if act.together:
        yield from (_parameter(name, option, default=None) for name, option in _PASSING.items())
    yield _parameter("yes", Yes, default=False)
    yield _parameter("trust", Trusted, default=None)
    yield _parameter("as_json", Json, default=False)


def _asked(ask: Ask, *, left_out: bool = False) -> inspect.Parameter:
    """Return the parameter for an answer; one that may be left out has a default."""
    if ask.argument:
        return _parameter(
            _parameter_name(ask), Annotated[str, typer.Argument(metavar=ask.name.upper(), help=ask.help)]
        )
    option = typer.Option(f"--{ask.name}", help=ask.help)
    if ask.form is Form.UNLESS:
        return _parameter(_parameter_name(ask), Annotated[bool, option], default=False)
    kind: Any = list[str] if ask.several else ask.words or str
    if ask.default is not None:
        return _parameter(_parameter_name(ask), Annotated[kind, option], default=ask.default)
    if ask.optional or left_out:
        return _parameter(_parameter_name(ask), Annotated[kind | None, option], default=None)
    return _parameter(_parameter_name(ask), Annotated[kind, option])


def _parameter_name(ask: Ask) -> str:
    return ask.name.replace("-", "_")


def _parameter(
    name: str, annotation: object, *, default: object = inspect.Parameter.empty
) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _choices(command: ActCommand, given: Mapping[str, Any]) -> Choices:
    asks = (ask for ask in command.asks if ask.form is not Form.DOCUMENT)
    return Choices(**{ask.choice: _answer(ask, given[_parameter_name(ask)]) for ask in asks})


def _files(command: ActCommand, given: Mapping[str, Any]) -> tuple[FileToSeal, ...]:
    """Return the files that the author brings as documents: what is named after them is made by sealing."""
    brought = (given[_parameter_name(ask)] or () for ask in command.asks if ask.form is Form.DOCUMENT)
    return tuple(_file(one) for several in brought for one in several)


def _file(given: str) -> FileToSeal:
    found = _DOCUMENT.fullmatch(given)
    if found is None:
        raise typer.BadParameter("--document must be NAME=FILE or NAME@DATE=FILE, such as award=award.pdf")
    name, day, file = found.groups()
    try:
        issued_at = None if day is None else instant(day if "T" in day else f"{day}T00:00:00Z")
    except MalformedError as error:
        raise typer.BadParameter(f"the date in {given} is none: {error.message}") from error
    return FileToSeal(name=name, file=Path(file), issued_at=issued_at)


def _answer(ask: Ask, given: Any) -> object:  # noqa: ANN401 - what Typer read
    if ask.form is Form.UNLESS:
        return not given
    if given is None or given == []:
        return None
    read = _READERS[ask.form]
    return tuple(map(read, given)) if ask.several else read(given)


_READERS: Final[Mapping[Form, Callable[[str], object]]] = MappingProxyType(
    {Form.TEXT: str, Form.DIGEST: digest, Form.MOMENT: instant}
)


for _act in BY_COMMAND.values():
    add(_act, app)
