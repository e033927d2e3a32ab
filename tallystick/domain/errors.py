"""The one error tree: what can be refused, why, and what to do about it.

Every error has a stable `code` that the API's problems, the command line's exit
and docs/errors.md share. HTTP status is not decided here (see api/http/problems.py),
and a broken invariant is an `AssertionError`, never one of these.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from tallystick.domain.quoting import one_line, quoted
from tallystick.limits.documents import FACT_LENGTH_MAX

_A_WORD: Final = re.compile(r"[\w.:@/+=-]{0,160}", re.ASCII)

Fact = str | int | bool | None | Sequence["Fact"] | Mapping[str, "Fact"]


class TallystickError(Exception):
    """Something was refused, and nothing was changed.

    Attributes:
        code: Stable, kebab-case; a contract with callers.
        why: What this kind of refusal means, for docs/errors.md.
        advice: What the caller can do about it.
        retryable: Whether the same request may succeed later without a change.
        facts: What was found, by name; never a secret.
    """

    code: ClassVar[str] = "refused"
    why: ClassVar[str] = "The request was refused."
    advice: ClassVar[str] = "Read the facts, then change the request."
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, /, **facts: Fact) -> None:
        """Say in `message` what happened in this instance; name the `facts`."""
        super().__init__(message)
        self.message = message
        self.facts: Mapping[str, Fact] = facts

    def __str__(self) -> str:
        """Return the message and its facts on one line."""
        facts = "; ".join(f"{key}: {told(value)}" for key, value in self.facts.items())
        return one_line(f"{self.message} ({facts})" if facts else self.message)


def told(value: Fact) -> str:
    """Return a fact as it stands in a sentence; a text that may be another's words is quoted."""
    if isinstance(value, str):
        return value if _A_WORD.fullmatch(value) else quoted(value, at_most=FACT_LENGTH_MAX)
    return str(value)


class MalformedError(TallystickError):
    """Bytes or values that do not have the form they must have."""

    code = "malformed"
    why = "The input does not follow its format."
    advice = "Correct the input; the facts say where it goes wrong."


class MalformedNameError(MalformedError):
    """A name, digest or key that is not written as it must be."""

    code = "malformed-name"
    why = "A name, digest or public key is not written in its one allowed form."
    advice = "Write it as `form` says: lower case, no spaces."


def told_of(code: str, message: str, facts: Mapping[str, Fact]) -> TallystickError | None:
    """Return the error that another process raised, by the class of its code; None if none has it."""
    kind = next((kind for kind in known_errors() if kind.code == code), None)
    return None if kind is None else made(kind, message, facts)


def made(kind: type[TallystickError], message: str, facts: Mapping[str, Fact]) -> TallystickError:
    """Return an error without its class's own constructor, whose extra arguments do not travel."""
    error = kind.__new__(kind, message)
    TallystickError.__init__(error, message, **facts)
    return error


def known_errors(root: type[TallystickError] = TallystickError) -> Iterator[type[TallystickError]]:
    """Yield every class of errors below `root`, itself first, of the modules that were imported so far."""
    yield root
    for kind in root.__subclasses__():
        yield from known_errors(kind)
