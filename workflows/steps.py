"""How long each step of a workflow may take, and how it is tried again.

A step is tried for ever: only a typed refusal that no repetition could change ends
it. While a neighbour is down the claim stays where it is, visibly, and goes on
within seconds once it is back.
"""

from datetime import datetime, timedelta
from typing import Final, TypedDict

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

from tallystick.domain.errors import TallystickError
from tallystick.faults import from_failure
from tallystick.limits import (
    GATE_HEARTBEAT_MAX,
    GATE_STEP_MAX,
    LEDGER_STEP_MAX,
    NOTICE_STEP_MAX,
    STEP_RETRY_MAX,
    WORK_HEARTBEAT_MAX,
)
from tallystick.messages import GATE_QUEUE, WORK_QUEUE


class Step(TypedDict):
    """The terms on which Temporal has an activity run by whoever serves its queue."""

    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


class LocalStep(TypedDict):
    """The terms on which the worker that has the workflow runs an activity itself."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


_AGAIN: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2.0, maximum_interval=STEP_RETRY_MAX
)

LEDGER: Final = LocalStep(start_to_close_timeout=LEDGER_STEP_MAX, retry_policy=_AGAIN)
"""Local, because an act waits for it: a look at the record takes milliseconds, being given it much longer."""
NOTICE: Final = Step(
    task_queue=WORK_QUEUE,
    start_to_close_timeout=NOTICE_STEP_MAX,
    heartbeat_timeout=WORK_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
BLOBS: Final = Step(
    task_queue=WORK_QUEUE,
    start_to_close_timeout=GATE_STEP_MAX,
    heartbeat_timeout=GATE_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)
GATE: Final = Step(
    task_queue=GATE_QUEUE,
    start_to_close_timeout=GATE_STEP_MAX,
    heartbeat_timeout=GATE_HEARTBEAT_MAX,
    retry_policy=_AGAIN,
)


def now() -> datetime:
    """Return the workflow's time in whole seconds: what is accepted now is recorded with it."""
    return workflow.now().replace(microsecond=0)


def refusal_in(failure: FailureError) -> TallystickError:
    """Return the typed refusal that ended an activity; a local one's failure comes without a wrapper.

    Raises:
        FailureError: The workflow was cancelled.
        AssertionError: It ended by no refusal of ours, though every other failure is tried again.
    """
    if is_cancelled_exception(failure):
        raise failure
    refusal = from_failure(failure)
    assert refusal is not None, "a step ends by a typed refusal or not at all"
    return refusal
