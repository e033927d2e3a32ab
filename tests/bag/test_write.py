"""Writing a bag: what stock tools accept, the same every time, and what cannot become one."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tallystick.bag.survey import BagSourceChangedError, BagSourceRefusedError
from tallystick.bag.unpack import unpack_bag
from tallystick.bag.write import BagSummary, write_bag
from tallystick.crypto import age
from tallystick.domain.errors import MalformedNameError

DAY = date(2026, 11, 24)
LONG_NAME = "long-" + "x" * 120
CONTENT = {
    "README.txt": b"read me\n",
    "src/main.c": b"int main(void) { return 0; }\n",
    f"src/deep/{LONG_NAME}/file.h": b"#define A 1\n",
    "src/größe und maß.txt": b"utf-8\n",
    "src/empty": b"",
    "a-b": b"sorts before a/",
    "a/b": b"sorts after a-b",
    "large.bin": bytes(range(256)) * 4096,
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for path, content in CONTENT.items():
        place = tmp_path / "source" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (tmp_path / "source" / "src" / "main.c").chmod(0o755)
    (tmp_path / "source" / "refs" / "tags").mkdir(parents=True)
    return tmp_path / "source"


def written(source: Path) -> tuple[bytes, BagSummary]:
    out = io.BytesIO()
    summary = write_bag(
        source, out, name="pump-control", external_identifier="pump control 4.2", bagged_on=DAY
    )
    return out.getvalue(), summary


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_what_was_written_is_what_is_unpacked(source: Path, tmp_path: Path) -> None:
    raw, summary = written(source)
    assert unpack_bag(io.BytesIO(raw), tmp_path / "into") == summary
    assert tree(tmp_path / "into" / "data") == CONTENT
    assert (tmp_path / "into" / "data" / "refs" / "tags").is_dir()


def test_summary_counts_and_names_what_is_inside(source: Path, tmp_path: Path) -> None:
    raw, summary = written(source)
    unpack_bag(io.BytesIO(raw), tmp_path / "into")
    manifest = (tmp_path / "into" / "manifest-sha256.txt").read_bytes()
    payload_bytes = sum(map(len, CONTENT.values()))
    assert summary == BagSummary(
        manifest_digest=summary.manifest_digest, files=len(CONTENT), payload_bytes=payload_bytes
    )
    assert (tmp_path / "into" / "bag-info.txt").read_text().splitlines() == [
        "Bagging-Date: 2026-11-24",
        "External-Identifier: pump control 4.2",
        f"Payload-Oxum: {payload_bytes}.{len(CONTENT)}",
    ]
    assert summary.manifest_digest == "sha256:" + hashlib.sha256(manifest).hexdigest()


def test_executable_bit_arrives(source: Path, tmp_path: Path) -> None:
    (source / "README.txt").chmod(0o600)
    unpack_bag(io.BytesIO(written(source)[0]), tmp_path / "into")
    executable = {
        path.name for path in (tmp_path / "into").rglob("*") if path.is_file() and path.stat().st_mode & 0o100
    }
    assert executable == {"main.c"}


def test_library_of_congress_validator_and_stock_tools_accept_it(source: Path, tmp_path: Path) -> None:
    raw, _ = written(source)
    (tmp_path / "bag.tar").write_bytes(raw)
    subprocess.run(["tar", "-xf", "bag.tar"], cwd=tmp_path, check=True)  # noqa: S607
    place = tmp_path / "pump-control"
    assert tree(place / "data") == CONTENT
    subprocess.run([sys.executable, "-m", "bagit", "--validate", "--quiet", place], check=True)
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--strict", "--quiet", "-c", manifest], cwd=place, check=True)  # noqa: S607


def test_same_files_with_the_same_times_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(source, copy)
    assert written(copy) == written(source)


def test_archive_has_no_owner_no_time_and_sorted_payload(source: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(source)[0])) as archive:
        members = archive.getmembers()
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 0)}
    payload = [m.name.encode() for m in members if m.isfile() and m.name.startswith("pump-control/data/")]
    assert payload == sorted(payload)
    assert [m.name for m in members[:3]] == [
        "pump-control/bagit.txt",
        "pump-control/bag-info.txt",
        "pump-control/manifest-sha256.txt",
    ]


def test_bag_is_sealed_in_the_same_pass(source: Path, tmp_path: Path) -> None:
    identity, sealed, opened = age.new_identity(), io.BytesIO(), io.BytesIO()
    writer = age.SealingWriter(sealed, [identity.recipient()])
    summary = write_bag(source, writer, name="b", external_identifier="x", bagged_on=DAY)
    facts = writer.finish()
    assert facts.digest == "sha256:" + hashlib.sha256(sealed.getvalue()).hexdigest()
    assert age.open_sealed(io.BytesIO(sealed.getvalue()), opened, [identity]) == facts
    assert unpack_bag(io.BytesIO(opened.getvalue()), tmp_path / "into") == summary


# What cannot become a bag.


def test_special_file_is_refused(source: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(BagSourceRefusedError):
        written(source)


def test_nothing_to_deposit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hollow" / "directory").mkdir(parents=True)
    with pytest.raises(BagSourceRefusedError):
        written(tmp_path / "hollow")


@pytest.mark.parametrize("identifier", ["", " ", "two\nlines", "x" * 5000])
def test_identifier_that_is_not_one_line_is_refused(source: Path, identifier: str) -> None:
    with pytest.raises(BagSourceRefusedError):
        write_bag(source, io.BytesIO(), name="b", external_identifier=identifier, bagged_on=DAY)


def test_bag_name_is_a_name(source: Path) -> None:
    with pytest.raises(MalformedNameError):
        write_bag(source, io.BytesIO(), name="../b", external_identifier="x", bagged_on=DAY)


class Meddler(io.BytesIO):
    """A sink that changes the source after the digests were taken, once the archive has begun."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self._meddle: Callable[[], object] | None = meddle

    def write(self, data: object, /) -> int:
        if self._meddle is not None:
            self._meddle()
            self._meddle = None
        return super().write(data)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("how", ["same size", "longer", "shorter", "gone", "link", "directory"])
def test_file_that_changes_meanwhile_is_refused(source: Path, how: str) -> None:
    place = source / "src" / "main.c"

    def meddle() -> None:
        content = place.read_bytes()
        place.unlink()
        match how:
            case "same size":
                place.write_bytes(content.swapcase())
            case "longer":
                place.write_bytes(content + b"x")
            case "shorter":
                place.write_bytes(content[:-1])
            case "link":
                (source / "src" / "moved.c").write_bytes(content)
                place.symlink_to("moved.c")
            case "directory":
                place.mkdir()
            case _:
                pass

    with pytest.raises(BagSourceChangedError) as caught:
        write_bag(source, Meddler(meddle), name="b", external_identifier="x", bagged_on=DAY)
    assert caught.value.facts["path"] == "data/src/main.c"
