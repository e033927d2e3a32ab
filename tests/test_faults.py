"""Every typed refusal comes out of Temporal as it went in; nothing else is mistaken for one."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Final

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

import activities
import api
import tallystick
import workflows
from tallystick.converter import MESSAGE_CONVERTER
from tallystick.domain.errors import Fact, TallystickError
from tallystick.domain.refusals import MisdirectedError
from tallystick.faults import RefusedElsewhereError, crossing, from_failure, to_failure

FACTS: Final[Mapping[str, Fact]] = {
    "limit": 3,
    "none": None,
    "deep": {"yes": True, "names": ["ä", "b"]},
}


def _all_errors() -> list[type[TallystickError]]:
    for package in (tallystick, activities, workflows, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found, left = set[type[TallystickError]](), TallystickError.__subclasses__()
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        found.add(kind)
    return sorted((kind for kind in found if not kind.__module__.startswith("tests.")), key=_name)


def _name(kind: type[TallystickError]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


ERRORS: Final = _all_errors()


def through_temporal(failure: BaseException) -> BaseException:
    """Write `failure` as Temporal keeps it, and read it again, as another process does."""
    kept, converter = Failure(), MESSAGE_CONVERTER
    converter.failure_converter.to_failure(failure, converter.payload_converter, kept)
    again = Failure.FromString(kept.SerializeToString())
    return converter.failure_converter.from_failure(again, converter.payload_converter)


def made(kind: type[TallystickError], message: str = "it was refused") -> TallystickError:
    """An error of a kind, whatever its constructor requires."""
    error = kind.__new__(kind)
    TallystickError.__init__(error, message, **FACTS)
    return error


def test_the_tree_is_large_and_no_code_is_used_twice() -> None:
    assert len(ERRORS) > 100
    codes = [kind.code for kind in ERRORS]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("kind", ERRORS, ids=_name)
def test_refusal_comes_out_as_it_went_in(kind: type[TallystickError]) -> None:
    with pytest.raises(ApplicationError) as raised, crossing():
        raise made(kind)
    assert (raised.value.type, raised.value.non_retryable) == (kind.code, not kind.retryable)
    came = from_failure(through_temporal(raised.value))
    assert came is not None
    assert type(came) is kind
    assert (came.message, came.facts) == ("it was refused", FACTS)
    assert str(came) == str(made(kind))


def test_refusal_is_found_behind_what_temporal_wraps_it_in() -> None:
    wrapped = ActivityError(
        "the activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="record_act",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    wrapped.__cause__ = to_failure(made(MisdirectedError))
    assert type(from_failure(through_temporal(wrapped))) is MisdirectedError


def test_refusal_is_tried_again_if_the_engine_asks_that_of_itself() -> None:
    with pytest.raises(ApplicationError) as raised, crossing(retried=True):
        raise made(MisdirectedError)
    assert not raised.value.non_retryable


def test_refusal_of_a_newer_version_is_passed_on_as_it_is() -> None:
    told = {"code": "from-the-future", "message": "not yet", "facts": {"limit": 3}, "retryable": False}
    came = from_failure(through_temporal(ApplicationError("not yet", told, type="from-the-future")))
    assert type(came) is RefusedElsewhereError
    assert (came.message, came.facts) == (
        "not yet",
        {"refused_with": "from-the-future", "facts": {"limit": 3}},
    )


def test_what_is_none_of_ours_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), crossing():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "failure",
    [
        None,
        ValueError("something"),
        ApplicationError("something", type="misdirected"),
        ApplicationError("something", "text", type="misdirected"),
        ApplicationError("something", {"code": "misdirected"}, type="misdirected"),
        ApplicationError("something", {"code": 1, "message": "x", "facts": {}}, type="misdirected"),
        ApplicationError(
            "something", {"code": "misdirected", "message": "x", "facts": []}, type="misdirected"
        ),
    ],
)
def test_what_looks_like_a_refusal_and_is_none_is_not_taken_for_one(failure: BaseException | None) -> None:
    assert from_failure(failure) is None
