"""The folder of sealed files is held by one command, whoever else may write next to it."""

from pathlib import Path

import pytest

from tallystick.desk.kept.begun import WorkFolderExposedError, WorkUnderWayError, working_in
from tallystick.domain.errors import TallystickError


def test_a_link_in_the_place_of_the_lock_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("dear diary")
    (tmp_path / "deposit.lock").symlink_to("diary")
    with pytest.raises(TallystickError), working_in(tmp_path / "deposit"):
        pass
    assert (tmp_path / "diary").read_text() == "dear diary"


def test_one_command_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    with (
        working_in(tmp_path / "deposit"),
        pytest.raises(WorkUnderWayError),
        working_in(tmp_path / "deposit"),
    ):
        pass


def test_a_folder_that_others_may_write_to_is_not_worked_in(tmp_path: Path) -> None:
    (tmp_path / "deposit").mkdir(mode=0o700)
    (tmp_path / "deposit" / "begun.json").write_text("planted")
    (tmp_path / "deposit").chmod(0o777)
    with pytest.raises(WorkFolderExposedError, match="by everybody"), working_in(tmp_path / "deposit"):
        pass
    (tmp_path / "link").symlink_to("deposit")
    with pytest.raises(WorkFolderExposedError, match="symbolic link"), working_in(tmp_path / "link"):
        pass
