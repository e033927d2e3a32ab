"""What passes is measured, and files are dropped by their age."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallystick.store.blobs.measured import drop_older


def test_a_file_that_cannot_be_removed_keeps_no_other(tmp_path: Path) -> None:
    stuck, old = tmp_path / "a folder", tmp_path / "a file"
    stuck.mkdir()
    old.write_bytes(b"half")
    with pytest.raises(OSError, match="a folder"):
        drop_older([stuck, old], datetime.now(UTC) + timedelta(hours=1))
    assert (stuck.exists(), old.exists()) == (True, False)
