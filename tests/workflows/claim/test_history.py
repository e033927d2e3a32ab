"""When a fresh run takes over: once a run has doubled what it began with, never because of its start."""

import pytest

from tallystick.limits.claims import HISTORY_GROWTH_BYTES_MAX, HISTORY_GROWTH_EVENTS_MAX
from workflows.claim.history import HistorySize

SHORT = HistorySize(events=12, size_bytes=20_000)
LONG = HistorySize(events=4 * HISTORY_GROWTH_EVENTS_MAX, size_bytes=4 * HISTORY_GROWTH_BYTES_MAX)


def grown(size: HistorySize, *, events: int = 0, size_bytes: int = 0) -> HistorySize:
    return HistorySize(events=size.events + events, size_bytes=size.size_bytes + size_bytes)


@pytest.mark.parametrize("begun_with", [SHORT, LONG])
def test_what_a_run_began_with_is_no_reason_for_a_fresh_one(begun_with: HistorySize) -> None:
    assert not begun_with.is_worth_a_fresh_run(begun_with)
    assert not grown(
        begun_with, events=HISTORY_GROWTH_EVENTS_MAX - 1, size_bytes=19_999
    ).is_worth_a_fresh_run(begun_with)


@pytest.mark.parametrize(
    ("begun_with", "events", "size_bytes"),
    [
        (SHORT, HISTORY_GROWTH_EVENTS_MAX, 0),
        (SHORT, 0, 20_000),
        (LONG, HISTORY_GROWTH_EVENTS_MAX, 0),
        (LONG, 0, HISTORY_GROWTH_BYTES_MAX),
    ],
)
def test_as_much_again_or_a_bounded_growth_is_a_reason(
    begun_with: HistorySize, events: int, size_bytes: int
) -> None:
    after = grown(begun_with, events=events, size_bytes=size_bytes)
    assert after.is_worth_a_fresh_run(begun_with)
