"""Durable writes: which system calls, in which order, and what a failure leaves."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.durable import (
    Fsync,
    create_durably,
    creating_durably,
    keep_durably,
    make_folder,
    make_private,
    reason_of,
    rename_durably,
    sync_file,
    write_durably,
)

Write = Callable[..., None]


def streamed(path: Path, content: bytes, *, fsync: Fsync = os.fsync) -> None:
    with creating_durably(path, fsync=fsync) as file:
        file.write(content)


WRITERS = [write_durably, keep_durably, create_durably, streamed]
MAKES_NEW = [create_durably, streamed]


class Disk:
    """What was made durable, in order: files with their content, folders with their names."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.synced: list[tuple[str, bytes | list[str]]] = []
        self._fails_at = fails_at

    def __call__(self, descriptor: int) -> None:
        if len(self.synced) + 1 == self._fails_at:
            raise OSError(errno.EIO, "input/output error")
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        if path.is_dir():
            self.synced.append((path.name, names(path)))
        else:
            self.synced.append((path.name, path.read_bytes()))
        os.fsync(descriptor)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("write", [write_durably, keep_durably])
def test_content_is_durable_before_it_has_its_name_and_the_name_before_the_return(
    write: Write, tmp_path: Path
) -> None:
    disk = Disk()
    write(tmp_path / "note", b"said", fsync=disk)
    (draft, content), (folder, there) = disk.synced
    assert draft.startswith(".note.")
    assert content == b"said"
    assert folder == tmp_path.name
    assert isinstance(there, list)
    assert "note" in there
    assert names(tmp_path) == ["note"]


def test_a_new_file_is_written_under_its_own_name_and_then_the_folder_is_synchronised(tmp_path: Path) -> None:
    disk = Disk()
    create_durably(tmp_path / "ana.key", b"secret", fsync=disk)
    assert disk.synced == [("ana.key", b"secret"), (tmp_path.name, ["ana.key"])]


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_is_its_owners_alone_whatever_the_umask(write: Write, tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        write(tmp_path / "note", b"said")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "note").stat().st_mode) == 0o600


@pytest.mark.parametrize("write", [write_durably, create_durably])
def test_what_is_public_may_be_given_another_mode(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "note", b"said", mode=0o644)
    assert stat.S_IMODE((tmp_path / "note").stat().st_mode) == 0o644


def test_a_file_is_replaced_and_the_first_of_two_is_kept(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_durably(tmp_path / "replaced", content)
        keep_durably(tmp_path / "kept", content)
    assert (tmp_path / "replaced").read_bytes() == b"second"
    assert (tmp_path / "kept").read_bytes() == b"first"
    assert names(tmp_path) == ["kept", "replaced"]


def test_a_file_that_stands_is_made_durable_before_it_is_relied_on(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"first")
    disk = Disk()
    keep_durably(tmp_path / "kept", b"second", fsync=disk)
    assert disk.synced[-1] == (tmp_path.name, ["kept"])


@pytest.mark.parametrize("write", MAKES_NEW)
def test_nothing_is_written_over_a_file_that_must_be_new(write: Write, tmp_path: Path) -> None:
    (tmp_path / "ana.key").write_bytes(b"the only one")
    with pytest.raises(FileExistsError):
        write(tmp_path / "ana.key", b"another")
    assert (tmp_path / "ana.key").read_bytes() == b"the only one"
    assert names(tmp_path) == ["ana.key"]


def test_a_file_written_piece_by_piece_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    disk = Disk()
    with creating_durably(tmp_path / "record", fsync=disk) as file:
        file.write(b"said")
        assert "record" not in names(tmp_path)
    assert (disk.synced[0][1], disk.synced[-1]) == (b"said", (tmp_path.name, ["record"]))
    assert stat.S_IMODE((tmp_path / "record").stat().st_mode) == 0o600
    with pytest.raises(TypeError):
        streamed(tmp_path / "other", "no bytes")  # type: ignore[arg-type]
    assert names(tmp_path) == ["record"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_link_is_not_followed(write: Write, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "note").symlink_to(tmp_path / "elsewhere")
    if write in MAKES_NEW:
        with pytest.raises(FileExistsError):
            write(tmp_path / "note", b"said")
    else:
        write(tmp_path / "note", b"said")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


@pytest.mark.parametrize("write", WRITERS)
def test_content_that_is_not_durable_leaves_nothing(write: Write, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="input/output error"):
        write(tmp_path / "note", b"said", fsync=Disk(fails_at=1))
    assert names(tmp_path) == []


def test_content_that_is_not_durable_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_durably(tmp_path / "note", b"before")
    with pytest.raises(OSError, match="input/output error"):
        write_durably(tmp_path / "note", b"after", fsync=Disk(fails_at=1))
    assert (tmp_path / "note").read_bytes() == b"before"
    assert names(tmp_path) == ["note"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_name_that_is_not_durable_is_an_error(write: Write, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="input/output error"):
        write(tmp_path / "note", b"said", fsync=Disk(fails_at=2))


def test_a_key_file_whose_name_is_not_durable_is_gone_again(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="input/output error"):
        create_durably(tmp_path / "ana.key", b"secret", fsync=Disk(fails_at=2))
    assert names(tmp_path) == []


def test_a_streamed_file_is_durable_before_it_is_renamed(tmp_path: Path) -> None:
    disk = Disk()
    with (tmp_path / "blob.part").open("wb") as out:
        out.write(b"bytes")
        sync_file(out, fsync=disk)
    rename_durably(tmp_path / "blob.part", tmp_path / "blob", fsync=disk)
    assert disk.synced == [("blob.part", b"bytes"), (tmp_path.name, ["blob"])]


@pytest.mark.parametrize("make", [make_folder, make_private])
def test_each_missing_folder_is_durable_in_the_one_above_it(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    disk = Disk()
    assert make(tmp_path / "a" / "b", fsync=disk) == tmp_path / "a" / "b"
    assert disk.synced == [(tmp_path.name, ["a"]), ("a", ["b"])]
    again: Fsync = Disk(fails_at=1)
    assert make(tmp_path / "a" / "b", fsync=again).is_dir()


def test_a_private_folder_is_its_owners_alone_and_a_standing_one_is_left_as_it_is(tmp_path: Path) -> None:
    make_private(tmp_path / "mine")
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o700
    (tmp_path / "theirs").mkdir(mode=0o755)
    make_private(tmp_path / "theirs")
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) & 0o077


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")


def test_a_reason_never_names_a_path() -> None:
    assert reason_of(OSError(errno.ENOSPC, "no room", "/secret/path")) == os.strerror(errno.ENOSPC)
    assert reason_of(OSError("/secret/path")) == "input/output"
