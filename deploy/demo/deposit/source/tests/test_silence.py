"""Silent devices are found, whatever the order of the lines."""

import unittest
from datetime import UTC, datetime

from nordwind_telemetry.silence import last_heard, silent

LINES = [
    "device,measured_at,value",
    "till-1,2026-11-24T09:20:00Z,4.1",
    "till-2,2026-11-24T09:00:00Z,4.0",
    "till-1,2026-11-24T08:00:00Z,4.2",
]


class SilenceTest(unittest.TestCase):
    def test_device_without_recent_measurement_is_silent(self) -> None:
        now = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
        self.assertEqual(silent(last_heard(LINES), now), ["till-2"])

    def test_unknown_columns_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            last_heard(["device,value"])


if __name__ == "__main__":
    unittest.main()
