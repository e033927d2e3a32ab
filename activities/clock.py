"""The clock of the host that runs an activity."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time by this host's clock: aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
