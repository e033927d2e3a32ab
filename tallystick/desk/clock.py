"""The desk's clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time by this machine's clock: aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
