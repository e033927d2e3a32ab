"""From an answer that refuses (RFC 9457) to the error with the same code."""

from collections.abc import Iterator
from typing import cast

from tallystick.domain.errors import Fact, TallystickError
from tallystick.domain.json import JsonObject, JsonValue


class UnreachableError(TallystickError):
    """No answer came from the server."""

    code = "unreachable"
    why = "The server did not answer, or the connection broke; a statement may or may not have arrived."
    advice = "Check `--api` and the network, then repeat the command: the same statement counts once."
    retryable = True


class UnexpectedAnswerError(TallystickError):
    """An answer that is not what the API promises."""

    code = "unexpected-answer"
    why = "What answered is no Tallystick server, or one of another version."
    advice = "Check `--api`; `tallystick --version` and GET /v1/deployment say which versions meet."


class RefusedRemotelyError(TallystickError):
    """The server refused, with a code that this version of the client does not have."""

    code = "refused-remotely"
    why = "The server refused the request; the code in the answer says why."
    advice = "Read the detail and the facts of the answer."


def refusal(problem: JsonObject, *, status: int) -> TallystickError:
    """Return the error that a problem document tells of, of the class with its code if there is one."""
    code, detail = problem.get("code"), problem.get("detail")
    message = detail if isinstance(detail, str) else f"refused with HTTP status {status}"
    found = problem.get("facts")
    facts = cast("dict[str, Fact]", dict(found)) if isinstance(found, dict) else {}
    kind = next((kind for kind in _tree(TallystickError) if kind.code == code), None)
    return _made(kind or _unknown(problem, status), message, facts)


def _made(kind: type[TallystickError], message: str, facts: dict[str, Fact]) -> TallystickError:
    # A class may take other arguments to be raised; told of from afar, it has only its facts.
    error = kind.__new__(kind, message)
    TallystickError.__init__(error, message, **facts)
    return error


def _tree(root: type[TallystickError]) -> Iterator[type[TallystickError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _tree(kind)


def _unknown(problem: JsonObject, status: int) -> type[TallystickError]:
    """Return a class for a code that is not in this process's tree; the server's words are kept."""
    said: dict[str, JsonValue] = {
        "code": problem.get("code"),
        "why": problem.get("title"),
        "advice": problem.get("advice"),
    }
    members: dict[str, object] = {name: text for name, text in said.items() if isinstance(text, str)}
    members.setdefault("code", f"http-{status}")
    members["retryable"] = problem.get("retryable") is True
    return type("RefusedRemotelyError", (RefusedRemotelyError,), members)
