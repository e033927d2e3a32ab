"""BagIt (RFC 8493), both ways, with the Library of Congress's `bagit` and with stock tools."""

import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tallystick.bag.unpack import BagInvalidError, unpack_bag
from tallystick.bag.write import write_bag

CONTENT = {
    "README.txt": b"Build with make.\n",
    "empty": b"",
    "src/Größe und Länge.c": b"int main(void) { return 0; }\n",
    "src/" + "deep/" * 30 + "a name that is long.bin": bytes(range(256)) * 1000,
}
# `bagit` declares version 0.97, the draft before RFC 8493, and still writes what the RFC asks for.
RAISE_DECLARATION = """
import pathlib, sys, bagit
declaration = pathlib.Path(sys.argv[1], "bagit.txt")
declaration.write_text(declaration.read_text().replace("0.97", "1.0"))
bagit.Bag(sys.argv[1]).save()
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for path, content in CONTENT.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def run(*command: str | Path, at: Path) -> bool:
    return subprocess.run(command, cwd=at, check=False, capture_output=True).returncode == 0


def bagit(*arguments: str | Path, at: Path) -> bool:
    return run(sys.executable, "-m", "bagit", *arguments, at=at)


def sums_match(bag: Path) -> bool:
    manifests = ("manifest-sha256.txt", "tagmanifest-sha256.txt")
    return all(run("sha256sum", "--strict", "-c", manifest, at=bag) for manifest in manifests)


def our_bag(source: Path, at: Path) -> Path:
    """Return the bag that we wrote, unpacked by the system's tar."""
    with (at / "bag.tar").open("wb") as out:
        write_bag(source, out, name="bag", external_identifier="x", bagged_on=date(2026, 1, 2))
    assert run("tar", "-xf", "bag.tar", at=at)
    return at / "bag"


def their_archive(source: Path) -> bytes:
    """Return the bag that `bagit` makes of `source`, in place, as the system's tar packs it."""
    assert bagit("--sha256", "--contact-name", "Ana", "--external-identifier", "x", source, at=source.parent)
    return packed(source)


def packed(bag: Path) -> bytes:
    command = ["tar", "--format=posix", "-cf", "-", bag.name]
    return subprocess.run(command, cwd=bag.parent, check=True, capture_output=True).stdout


def test_what_we_write_is_valid_there(source: Path, tmp_path: Path) -> None:
    bag = our_bag(source, tmp_path)
    assert tree(bag / "data") == CONTENT
    assert bagit("--validate", bag, at=tmp_path)
    assert sums_match(bag)


@pytest.mark.parametrize("path", ["README.txt", "empty"])
def test_both_notice_an_altered_file(source: Path, tmp_path: Path, path: str) -> None:
    bag = our_bag(source, tmp_path)
    (bag / "data" / path).write_bytes(b"altered")
    assert not bagit("--validate", bag, at=tmp_path)
    assert not sums_match(bag)


def test_what_they_write_is_read_here(source: Path, tmp_path: Path) -> None:
    their_archive(source)
    assert run(sys.executable, "-c", RAISE_DECLARATION, source, at=tmp_path)
    found = unpack_bag(io.BytesIO(packed(source)), tmp_path / "into")
    assert tree(tmp_path / "into" / "data") == CONTENT
    assert (found.files, found.payload_bytes) == (len(CONTENT), sum(map(len, CONTENT.values())))
    info = (tmp_path / "into" / "bag-info.txt").read_text().splitlines()
    assert {"Contact-Name: Ana", "External-Identifier: x"} <= set(info)


def test_draft_version_that_they_declare_is_refused_here(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BagInvalidError, match=r"BagIt 1\.0"):
        unpack_bag(io.BytesIO(their_archive(source)), tmp_path / "into")
