"""How a typed refusal travels through Temporal and comes out typed on the other side.

Workflows and activities raise `ApplicationError`s that carry the code, the message
and the facts; the caller gets the same `TallystickError` back. Any other error is a
bug: it is not translated, so it stops a workflow's task instead of its claim.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import cast

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.service import RPCError, RPCStatusCode

from tallystick.domain.errors import Fact, TallystickError, told_of


class RefusedElsewhereError(TallystickError):
    """Another process refused with an error that this one does not know; `refused_with` is its code."""

    code = "refused-elsewhere"
    why = "Another process of the deployment refused the request; it runs another version than this one."
    advice = "Look `refused_with` up in docs/errors.md of the newer version; run one version everywhere."


@contextmanager
def crossing(*, retried: bool = False, final: type[TallystickError] | None = None) -> Generator[None]:
    """Let typed refusals cross into Temporal; everything else passes as it is.

    Args:
        retried: Whether even a final refusal is retried: for what the engine asks of itself,
            where a refusal is a defect that someone has to repair.
        final: A refusal that is not retried, though time may help: its asker is told, and tries again.

    Raises:
        ApplicationError: A `TallystickError` was raised in the block.
    """
    try:
        yield
    except TallystickError as error:
        ends = final is not None and isinstance(error, final)
        raise to_failure(error, retried=retried, final=ends) from None


def to_failure(error: TallystickError, *, retried: bool = False, final: bool = False) -> ApplicationError:
    """Return `error` as Temporal carries it; it is retried only if the same request may succeed later."""
    told = {
        "code": error.code,
        "message": error.message,
        "facts": dict(error.facts),
        "retryable": error.retryable,
    }
    again = (error.retryable or retried) and not final
    return ApplicationError(error.message, told, type=error.code, non_retryable=not again)


def from_failure(failure: BaseException | None) -> TallystickError | None:
    """Return the typed refusal that `failure`, or one of its causes, carries; None for anything else."""
    while failure is not None:
        if isinstance(failure, ApplicationError) and (refusal := _refusal(failure)) is not None:
            return refusal
        failure = failure.cause if isinstance(failure, FailureError) else failure.__cause__
    return None


def says_no_such_workflow(error: RPCError) -> bool:
    """Whether Temporal says that no such workflow runs; without our namespace it can say nothing of it."""
    of_the_namespace = any(one.Is(NamespaceNotFoundFailure.DESCRIPTOR) for one in error.grpc_status.details)
    return error.status is RPCStatusCode.NOT_FOUND and not of_the_namespace


def _refusal(failure: ApplicationError) -> TallystickError | None:
    told = failure.details[0] if failure.details else None
    if not isinstance(told, Mapping):
        return None
    members = cast("Mapping[str, object]", told)
    code, message, facts = members.get("code"), members.get("message"), members.get("facts")
    if not isinstance(code, str) or not isinstance(message, str) or not isinstance(facts, Mapping):
        return None
    known = cast("Mapping[str, Fact]", facts)
    return told_of(code, message, known) or RefusedElsewhereError(message, refused_with=code, facts=known)
