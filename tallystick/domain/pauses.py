"""Pauses between attempts."""

from datetime import timedelta

from tallystick.limits.steps import RETRY_DOUBLINGS_MAX


def backoff(times: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after the `times`-th failure: doubling from `first` to `longest`."""
    return min(longest, first * (1 << min(times - 1, RETRY_DOUBLINGS_MAX)))
