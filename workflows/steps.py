"""How long each step of a workflow may take, and how it is tried again.

A step is tried for ever: only a typed refusal that no repetition could change ends
it. While the database, the gate or a channel is down, the claim visibly stays where it
is, and continues within seconds once they are back.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypedDict, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from activities.ledger import LedgerActivities
from tallystick.domain.errors import TallystickError
from tallystick.faults import from_failure
from tallystick.limits.steps import (
    EVIDENCE_STEP_MAX,
    GATE_HEARTBEAT_MAX,
    GATE_STEP_MAX,
    LEDGER_AT_ONCE_MAX,
    LEDGER_STEP_MAX,
    NOTICE_STEP_MAX,
    STEP_RETRY_MAX,
    WITNESS_STEP_MAX,
    WORK_HEARTBEAT_MAX,
)
from tallystick.messages import BLOBS_QUEUE, CLAIMS_QUEUE, GATE_QUEUE, WITNESS_QUEUE, WORK_QUEUE


class Patience(TypedDict):
    """How long Temporal waits for an activity, in which queue, and how it tries again."""

    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy


class LocalPatience(TypedDict):
    """The same for a local activity, which the worker runs in its own process."""

    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


_Q = TypeVar("_Q")
_R = TypeVar("_R")

_AGAIN: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2.0, maximum_interval=STEP_RETRY_MAX
)

_AT_ONCE: Final = LocalPatience(schedule_to_close_timeout=LEDGER_AT_ONCE_MAX, retry_policy=_AGAIN)
_LEDGER: Final = Patience(
    task_queue=CLAIMS_QUEUE,
    start_to_close_timeout=LEDGER_STEP_MAX,
    heartbeat_timeout=None,
    retry_policy=_AGAIN,
)
NOTICE: Final = Patience(
    task_queue=WORK_QUEUE,
    start_to_close_timeout=NOTICE_STEP_MAX,
    heartbeat_timeout=WORK_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
EVIDENCE: Final = Patience(
    task_queue=WORK_QUEUE,
    start_to_close_timeout=EVIDENCE_STEP_MAX,
    heartbeat_timeout=WORK_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
BLOBS: Final = Patience(
    task_queue=BLOBS_QUEUE,
    start_to_close_timeout=GATE_STEP_MAX,
    heartbeat_timeout=GATE_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
GATE: Final = Patience(
    task_queue=GATE_QUEUE,
    start_to_close_timeout=GATE_STEP_MAX,
    heartbeat_timeout=GATE_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
WITNESS: Final = Patience(
    task_queue=WITNESS_QUEUE,
    start_to_close_timeout=WITNESS_STEP_MAX,
    heartbeat_timeout=GATE_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)


async def on_ledger(step: Callable[[LedgerActivities, _Q], _R], request: _Q) -> _R:
    """Have the ledger read or written; return its answer.

    This is a local activity, because someone waits: a look at the record takes milliseconds, a trip
    through a queue takes longer. While the database is away the step is queued at Temporal instead: each
    local retry would make the workflow's history longer.

    Raises:
        FailureError: A typed refusal that no repetition could change, or the workflow was cancelled.
    """
    try:
        return await workflow.execute_local_activity_method(step, request, **_AT_ONCE)
    except FailureError as failure:
        final = isinstance(failure, ApplicationError) and failure.non_retryable
        if final or is_cancelled_exception(failure):
            raise
    return await queued(step, request)


async def queued(step: Callable[[LedgerActivities, _Q], _R], request: _Q) -> _R:
    """Have the ledger read or written through a queue: its answer is not part of this task's message.

    Raises:
        FailureError: As `on_ledger`.
    """
    return await workflow.execute_activity_method(step, request, **_LEDGER)


async def answered(answer: workflow.ActivityHandle[_R], *, unless: Callable[[], bool]) -> bool:
    """Wait for an answer; if it no longer matters, take the question back, and return False."""
    await workflow.wait_condition(lambda: answer.done() or unless())
    if not answer.done():
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # or asyncio logs it
        answer.cancel()
        return False
    return True


def now() -> datetime:
    """Return the workflow's time in whole seconds, with which an act accepted now is recorded."""
    return workflow.now().replace(microsecond=0)


def refusal_in(failure: FailureError) -> TallystickError:
    """Return the typed refusal that ended an activity; a local activity's failure has no wrapper.

    Raises:
        FailureError: The workflow was cancelled.
        AssertionError: Another failure ended it, although every other failure is tried again.
    """
    if is_cancelled_exception(failure):
        raise failure
    refusal = from_failure(failure)
    assert refusal is not None, "a step ends by a typed refusal or not at all"
    return refusal
