"""Which devices have sent nothing for too long."""

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta

COLUMNS = ["device", "measured_at", "value"]
SILENT_AFTER = timedelta(minutes=15)


def last_heard(lines: Iterable[str]) -> dict[str, datetime]:
    """Return when each device was last heard, from CSV lines with a header."""
    reader = csv.DictReader(lines)
    if reader.fieldnames != COLUMNS:
        raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
    heard: dict[str, datetime] = {}
    for row in reader:
        at = datetime.fromisoformat(row["measured_at"])
        heard[row["device"]] = max(at, heard.get(row["device"], at))
    return heard


def silent(heard: dict[str, datetime], now: datetime) -> list[str]:
    """Return the devices that have been silent for too long at `now`."""
    return sorted(device for device, at in heard.items() if now - at > SILENT_AFTER)
