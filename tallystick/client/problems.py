"""From an answer that refuses (RFC 9457) to the error with the same code."""

from typing import cast

from tallystick.domain.errors import Fact, TallystickError, made, told_of
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
    known = told_of(code, message, facts) if isinstance(code, str) else None
    return known or made(_unknown(problem, status), message, facts)


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
