"""Turning an answer that refuses (RFC 9457) into the error with the same code."""

from typing import cast

from tallystick.domain.errors import Fact, TallystickError, made, told_of
from tallystick.domain.json import JsonObject, JsonValue


class UnreachableError(TallystickError):
    """No answer came from the server."""

    code = "unreachable"
    why = "The server did not answer, or the connection broke; what was sent may or may not have arrived."
    advice = "Check `--api` and the network, then repeat the command: a statement sent twice counts once."
    retryable = True


class PlainHttpError(TallystickError):
    """A key would have signed in over a connection that others on the way can read."""

    code = "plain-http"
    why = "Anyone who reads a token on its way can ask in its owner's name; plain HTTP hides nothing."
    advice = (
        "Use the server's https:// address, or a tunnel that ends at this machine (http://127.0.0.1:PORT)."
    )


class ForeignAnswerError(UnreachableError):
    """An answer in sound JSON that is not of the form that the API promises: no word of the server's."""

    code = "foreign-answer"
    why = "Something else answered in the server's place, or a server of another version."
    advice = (
        "Check `--api` and what lies between, and repeat the command. If it happens again, compare "
        "`tallystick --version` with the version in GET /v1/deployment."
    )


class UnexpectedAnswerError(TallystickError):
    """A server's answer that contradicts what was asked for, or what it has said before."""

    code = "unexpected-answer"
    why = "The answer has the promised form, and is not about what was asked for, or does not end."
    advice = "Try again; if it happens again, the server behind `--api` is broken, or deceives you."


class RefusedRemotelyError(TallystickError):
    """The server refused with a code that this version of the client does not know."""

    code = "refused-remotely"
    why = "The server refused the request; the code in its answer says why."
    advice = (
        "Read the detail and the facts in its answer; a newer client may know the code and say what to do."
    )


def passes(error: TallystickError) -> bool:
    """Return whether the same request may be answered otherwise later, if only by a mended server."""
    return error.retryable or error.code == "defect"


def refusal(problem: JsonObject, *, status: int) -> TallystickError:
    """Return the error that a problem document describes, of the class with its code if there is one."""
    code, detail = problem.get("code"), problem.get("detail")
    message = detail if isinstance(detail, str) else f"refused with HTTP status {status}"
    given = problem.get("facts")
    facts = cast("dict[str, Fact]", dict(given)) if isinstance(given, dict) else {}
    known = told_of(code, message, facts) if isinstance(code, str) else None
    return known or made(_unknown(problem, status), message, facts)


def _unknown(problem: JsonObject, status: int) -> type[TallystickError]:
    """Return a class for a code that this process does not know, with the server's own words."""
    said: dict[str, JsonValue] = {
        "code": problem.get("code"),
        "why": problem.get("title"),
        "advice": problem.get("advice"),
    }
    members: dict[str, object] = {name: text for name, text in said.items() if isinstance(text, str)}
    members.setdefault("code", f"http-{status}")
    members["retryable"] = problem.get("retryable") is True
    return type("RefusedRemotelyError", (RefusedRemotelyError,), members)
