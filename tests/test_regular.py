"""Files that a user named or that were found: regular ones only, and nothing is waited for."""

import errno
import grp
import os
import pwd
import stat
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.regular import (
    NotRegularError,
    has_others,
    open_lock,
    open_or_pipe,
    open_regular,
    ownership_fault,
    place_fault,
    read_regular,
    read_with_facts,
)

SOON = timedelta(milliseconds=50)


def test_a_file_is_read_with_its_mode_and_no_further_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    (tmp_path / "file").chmod(0o640)
    facts, content = read_with_facts(tmp_path / "file", 5)
    assert (stat.S_IMODE(facts.st_mode), content) == (0o640, b"012345")
    assert read_regular(tmp_path / "file", 20) == b"0123456789"


def test_no_fifo_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for opens in (open_regular, open_lock):
        with pytest.raises(NotRegularError, match="not a regular file"):
            opens(tmp_path / "fifo")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_no_device_is_read(device: str) -> None:
    with pytest.raises(OSError, match=r"not a regular file|No such"):
        open_regular(Path(device))


def test_a_folder_is_not_taken_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        open_regular(tmp_path)


def test_a_link_is_followed_only_where_a_user_may_have_made_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 20) == b"content"
    with pytest.raises(OSError, match="symbolic") as caught:
        open_regular(tmp_path / "link", follow=False)
    assert caught.value.errno == errno.ELOOP


def test_a_lock_keeps_what_is_in_its_file_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with open_lock(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_bytes() == b"content"
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("link", "dangling"):
        with pytest.raises(OSError, match="symbolic"):
            open_lock(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()


def test_a_new_lock_is_its_owners_alone(tmp_path: Path) -> None:
    with open_lock(tmp_path / "lock"):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_a_pipe_without_a_writer_is_empty_and_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with open_or_pipe(tmp_path / "fifo", within=SOON) as source:
        assert source.read() == b""
    reading, writing = os.pipe()
    opened = threading.Event()

    def write() -> None:
        opened.wait()
        os.write(writing, b"secret\n")
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    with open_or_pipe(Path(f"/dev/fd/{reading}"), within=SOON) as source:
        opened.set()
        assert source.readline() == b"secret\n"
    writer.join()
    os.close(reading)


def test_a_folder_that_others_could_change_is_reported(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    assert ownership_fault(own) is None
    own.chmod(0o777)
    assert ownership_fault(own) == f"may be written to by everybody: run `chmod go-w {own}`"
    (tmp_path / "link").symlink_to("own")
    assert ownership_fault(tmp_path / "link") == "is a symbolic link"
    (tmp_path / "file").touch()
    assert ownership_fault(tmp_path / "file") == "is not a folder"


def test_a_place_below_a_folder_that_everybody_may_write_to_is_reported(tmp_path: Path) -> None:
    own = tmp_path / "shared" / "desk"
    own.mkdir(parents=True, mode=0o700)
    (tmp_path / "link").symlink_to(own)
    for mode, is_told in [(0o777, True), (0o1777, False), (0o755, False)]:
        (tmp_path / "shared").chmod(mode)
        for place in (own / "bank", own / "new" / "bank", tmp_path / "link" / "bank"):
            told = "to which everybody may write" in str(place_fault(place))
            assert told is is_told, (oct(mode), place)


def somebody_elses_group() -> grp.struct_group:
    """A group in which one user is, who is neither root nor this one."""
    mine, users = {0, os.geteuid()}, Counter(one.pw_gid for one in pwd.getpwall())
    alone = (one for one in pwd.getpwall() if users[one.pw_gid] == 1 and one.pw_uid not in mine)
    groups = (grp.getgrgid(one.pw_gid) for one in alone if one.pw_gid)
    return next(group for group in groups if not group.gr_mem)


def test_a_group_in_which_anybody_else_is_is_told_from_a_users_own() -> None:
    shared = somebody_elses_group()
    (member,) = [one for one in pwd.getpwall() if one.pw_gid == shared.gr_gid]
    assert has_others(shared.gr_gid, os.geteuid())
    assert not has_others(shared.gr_gid, member.pw_uid)
    assert not has_others(0, os.geteuid())
    assert not has_others(2**31 - 7, os.geteuid()), "nobody is known in a group without a name"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give a folder to a group")
def test_a_folder_that_a_group_of_others_may_write_to_is_reported_with_what_to_run(tmp_path: Path) -> None:
    shared, group = tmp_path / "a shared one", somebody_elses_group()
    shared.mkdir()
    os.chown(shared, -1, group.gr_gid)
    shared.chmod(0o775)
    told = f"the group {group.gr_name}"
    command = f"run `chmod go-w '{shared}'`"
    assert ownership_fault(shared) == f"may be written to by {told}: {command}"
    assert place_fault(shared / "bank") == f"lies in {shared}, to which {told} may write: {command}"
    shared.chmod(0o755)
    assert ownership_fault(shared) is place_fault(shared / "bank") is None


def test_a_folder_that_the_users_own_group_may_write_to_is_let_pass(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, -1, os.getegid())
    own.chmod(0o775)
    assert has_others(os.getegid(), os.geteuid()) is (place_fault(own / "bank") is not None)
