"""Work that lasts: no error ends it, each is logged once, and after one it is tried again sooner."""

from datetime import timedelta

from structlog.testing import capture_logs

from tallystick.domain.errors import MalformedError
from tallystick.lasting import Lasting
from tallystick.limits.processes import LASTING_RETRY_MIN


def test_whatever_fails_is_reported_once_until_something_else_does_or_the_work_is_done() -> None:
    lasting = Lasting("nothing was done", RuntimeError)
    failing: list[Exception | None] = [
        *(MalformedError("one"), MalformedError("one"), RuntimeError("two"), ZeroDivisionError()),
        *(ZeroDivisionError(), ZeroDivisionError(), None, MalformedError("one")),
    ]
    with capture_logs() as logs:
        for error in failing:
            with lasting.attempt():
                if error is not None:
                    raise error
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("nothing was done", "warning"),
        ("nothing was done", "warning"),
        ("defect", "error"),
        ("nothing was done", "warning"),
    ]
    assert logs[2]["exc_info"]


def test_after_a_failure_the_work_is_tried_again_sooner_and_then_ever_more_seldom() -> None:
    day, lasting, pauses = timedelta(days=1), Lasting("nothing was done"), list[timedelta]()
    assert lasting.pause(day) == day
    for _ in range(40):
        with lasting.attempt():
            raise ZeroDivisionError
        pauses.append(lasting.pause(day))
    assert pauses[:3] == [LASTING_RETRY_MIN, 2 * LASTING_RETRY_MIN, 4 * LASTING_RETRY_MIN]
    assert pauses[-1] == day
    assert lasting.pause(timedelta(seconds=1)) == timedelta(seconds=1)
    with lasting.attempt():
        pass
    assert lasting.pause(day) == day
