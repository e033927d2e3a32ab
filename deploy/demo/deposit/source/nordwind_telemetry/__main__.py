"""`python -m nordwind_telemetry FILE`: exit 3 if devices are silent."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from nordwind_telemetry.silence import last_heard, silent


def main(arguments: list[str]) -> int:
    """Print the silent devices in the file that is named first."""
    if len(arguments) != 1:
        print("usage: python -m nordwind_telemetry FILE", file=sys.stderr)
        return 2
    devices = silent(
        last_heard(Path(arguments[0]).read_text().splitlines()), datetime.now(UTC)
    )
    print("\n".join(devices) or "all devices are heard")
    return 3 if devices else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
