"""Which paths one bag may have, and how many: directories count, whether an archive lists them or not."""

import pytest

from tallystick.bag.paths import BagPathRefusedError, PathRegister
from tallystick.limits.bags import BAG_DEPTH_MAX, BAG_ENTRIES_MAX, BAG_PATHS_MAX


def test_a_register_takes_as_many_files_as_may_be_deposited() -> None:
    register = PathRegister()
    for number in range(BAG_ENTRIES_MAX):
        register.admit_file(f"data/{number}")


def test_directories_that_no_archive_lists_count_as_paths() -> None:
    register, below = PathRegister(), "/".join("d" * (BAG_DEPTH_MAX - 2))
    files = BAG_PATHS_MAX // (BAG_DEPTH_MAX - 1)
    for number in range(files):
        register.admit_file(f"{number}/{below}")
    with pytest.raises(BagPathRefusedError, match="more files and directories"):
        register.admit_file(f"{files}/{below}/{files}")


def test_a_file_and_a_directory_of_one_path_are_refused_in_either_order() -> None:
    register = PathRegister()
    register.admit_file("a/b")
    for admit in register.admit_directory, register.admit_file:
        with pytest.raises(BagPathRefusedError):
            admit("a/b" if admit == register.admit_directory else "a")
