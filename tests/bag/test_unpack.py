"""Unpacking a bag: a bag by others is accepted only if all of it is right; else nothing remains."""

import hashlib
import io
import subprocess
import tarfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tallystick.bag import paths, tar, unpack
from tallystick.bag.unpack import unpack_bag
from tallystick.limits.bags import BAG_TAG_FILE_BYTES_MAX
from tests.support.costs import cost_of


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(raw).hexdigest()}  {path}\n" for path, raw in files.items()).encode()


def plain_bag() -> dict[str, bytes]:
    return with_tags({"data/a.txt": b"alpha", "data/b/c.txt": b"gamma"})


def with_tags(payload: Mapping[str, bytes], **others: bytes) -> dict[str, bytes]:
    """Return a whole bag around `payload`, `others` (by tag file, `_` for `-`) instead of ours."""
    oxum = f"{sum(map(len, payload.values()))}.{len(payload)}"
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": f"Payload-Oxum: {oxum}\n".encode(),
        "manifest-sha256.txt": manifest(payload),
    }
    tags |= {path.replace("_", "-") + ".txt": raw for path, raw in others.items()}
    return {**tags, "tagmanifest-sha256.txt": manifest(tags), **payload}


def archive(files: Mapping[str, bytes], *extra: tarfile.TarInfo, bag_name: str = "bag") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, raw in files.items():
            info = tarfile.TarInfo(f"{bag_name}/{path}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
        for info in extra:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "a.txt" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
    return info


def extended(name: str, records: dict[str, str]) -> tarfile.TarInfo:
    info = member(name)
    info.pax_headers = records
    return info


def refused(raw: bytes, into: Path) -> str:
    """Return the code with which `raw` is refused, having checked that nothing of it is left."""
    with pytest.raises((tar.TarRefusedError, paths.BagPathRefusedError, unpack.BagInvalidError)) as caught:
        unpack_bag(io.BytesIO(raw), into)
    assert not into.exists()
    return caught.value.code


def test_bag_made_by_others_is_unpacked(tmp_path: Path) -> None:
    raw = archive(plain_bag(), member("bag/data/hollow", tarfile.DIRTYPE), member("bag", tarfile.DIRTYPE))
    summary = unpack_bag(io.BytesIO(raw), tmp_path / "into")
    assert (summary.files, summary.payload_bytes) == (2, 10)
    assert tree(tmp_path / "into") == plain_bag()


@pytest.mark.parametrize("form", ["ustar", "posix"])
def test_archive_by_stock_tar_is_unpacked(tmp_path: Path, form: str) -> None:
    for path, raw in plain_bag().items():
        (tmp_path / "bag" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bag" / path).write_bytes(raw)
    subprocess.run(["tar", f"--format={form}", "-cf", "bag.tar", "bag"], cwd=tmp_path, check=True)  # noqa: S607
    with (tmp_path / "bag.tar").open("rb") as raw_file:
        assert unpack_bag(raw_file, tmp_path / "into").files == 2


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.XGLTYPE,
        b"Z",
    ],
)
def test_links_devices_and_extensions_are_refused(tmp_path: Path, kind: bytes) -> None:
    assert refused(archive(plain_bag(), member("bag/data/x", kind)), tmp_path / "into") == "tar-refused"


@pytest.mark.parametrize(
    "path",
    [
        "bag/data/../../escape",
        "bag/../escape",
        "../escape",
        "/etc/escape",
        "/",
        "bag//data/x",
        "bag/./data/x",
        "bag/data/a.txt",
        "bag/data/A.txt",
        "bag/DATA/x",
        "bag/Bagit.txt",
        "bag/data/a.txt/below",
        "bag/data/b",
        "bag/data/back\\slash",
        "bag/data/nul\x01",
        "bag/data/" + unicodedata.normalize("NFD", "ö"),
        "bag/data/" + "d/" * 60 + "x",
        "bag/data/" + "x" * 256,
        "bag/data/" + "/".join(["x" * 200] * 6),
    ],
)
def test_path_that_escapes_or_collides_is_refused(tmp_path: Path, path: str) -> None:
    assert refused(archive(plain_bag(), member(path)), tmp_path / "into") == "bag-path-refused"
    assert {entry.name for entry in tmp_path.iterdir()} == set()


def test_path_in_an_extended_header_is_checked_too(tmp_path: Path) -> None:
    extra = extended("bag/data/x", {"path": "bag/../../escape"})
    assert refused(archive(plain_bag(), extra), tmp_path / "into") == "bag-path-refused"


def test_second_bag_in_the_archive_is_refused(tmp_path: Path) -> None:
    assert refused(archive(plain_bag(), member("other/x")), tmp_path / "into") == "bag-invalid"


@pytest.mark.parametrize(
    "pax",
    [
        {"GNU.sparse.major": "1"},
        {"linkpath": "/etc/passwd"},
        {"path": "bag/data/" + "x" * 20_000},
        {"SCHILY.xattr.user.x": "y"},
    ],
)
def test_extended_header_that_is_not_understood_is_refused(tmp_path: Path, pax: dict[str, str]) -> None:
    assert refused(archive(plain_bag(), extended("bag/data/x", pax)), tmp_path / "into") == "tar-refused"


def test_archive_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    raw = archive(plain_bag())
    content_blocks = -(-len(raw.rstrip(b"\0")) // 512)
    for size in range(0, (content_blocks + 2) * 512, 256):
        assert refused(raw[:size], tmp_path / "into") == "tar-refused"


def test_bytes_after_the_end_or_in_padding_are_refused(tmp_path: Path) -> None:
    raw = archive(plain_bag())
    hidden = raw.replace(b"gamma\0", b"gammaX")
    assert hidden != raw
    for spoiled in (raw + b"x", hidden, raw + bytes(2_000_000)):
        assert refused(spoiled, tmp_path / "into") == "tar-refused"


def extension(raw: bytes) -> bytes:
    """Return an extended header whose records are `raw`, as they stand."""
    info = member("extension", tarfile.XHDTYPE)
    info.size = len(raw)
    return info.tobuf() + raw + bytes(-len(raw) % 512)


PATH_RECORD = b"19 path=bag/data/x\n"
SHORT = member("x").tobuf()


def test_extended_header_names_what_follows(tmp_path: Path) -> None:
    files = with_tags({"data/x": b""})
    del files["data/x"]
    raw = archive(files)
    members = raw[: -(-len(raw.rstrip(b"\0")) // 512) * 512]
    unpack_bag(io.BytesIO(members + extension(PATH_RECORD) + SHORT + bytes(1024)), tmp_path / "into")
    assert (tmp_path / "into" / "data" / "x").exists()


@pytest.mark.parametrize(
    "raw",
    [
        extension(PATH_RECORD * 2) + SHORT + archive(plain_bag()),
        extension(PATH_RECORD) * 2 + SHORT,
        extension(PATH_RECORD) + bytes(1024),
        extension(b"") + SHORT,
        extension(b"20 path=bag/data/x\n") + SHORT,
        extension(b"18 path=bag/data/x\n") + SHORT,
        extension(b"0 path=bag/data/x\n") + SHORT,
        extension(b"-9 path=bag/data/x\n") + SHORT,
        extension(b"path=bag/data/x\n") + SHORT,
        extension(b"11 path=\xff\xfe\n") + SHORT,
        extension(b"11 size=-1\n") + SHORT,
        extension(b"11 size=1_\n") + SHORT,
    ],
)
def test_damaged_extended_header_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert refused(raw, tmp_path / "into") == "tar-refused"


@pytest.mark.parametrize("at", [0, 100, 124, 148, 156])
def test_damaged_header_is_refused(tmp_path: Path, at: int) -> None:
    raw = bytearray(archive(plain_bag()))
    raw[at] ^= 0x40
    assert refused(bytes(raw), tmp_path / "into") == "tar-refused"


def negative_size() -> bytes:
    """Return a header whose size is negative, in GNU's base-256 form, with a right checksum."""
    header = bytearray(member("bag/data/x").tobuf())
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


def test_negative_size_is_refused(tmp_path: Path) -> None:
    assert refused(negative_size() + archive(plain_bag()), tmp_path / "into") == "tar-refused"


A, BC = {"data/a.txt": b"alpha"}, {"data/b/c.txt": b"gamma"}
WRONG_DIGEST = manifest(A) + manifest({"data/b/c.txt": b"other"})
INVALID: dict[str, dict[str, bytes]] = {
    "file altered": {**plain_bag(), "data/a.txt": b"alphA"},
    "file of another size": {**plain_bag(), "data/a.txt": b"alph"},
    "file unlisted": {**plain_bag(), "data/extra": b""},
    "file missing": {path: raw for path, raw in plain_bag().items() if path != "data/a.txt"},
    "digest altered": with_tags(A | BC, manifest_sha256=WRONG_DIGEST),
    "file listed twice": with_tags(A, manifest_sha256=manifest(A) * 2),
    "line without an end": with_tags(A, manifest_sha256=manifest(A).removesuffix(b"\n") + b"x" * 100_000),
    "manifest without newlines": with_tags(A, manifest_sha256=manifest(A).replace(b"  ", b"")),
    "manifest with a mark": with_tags(A, manifest_sha256=b"\xef\xbb\xbf" + manifest(A)),
    "manifest not UTF-8": with_tags(A, manifest_sha256=manifest(A) + b"\xff"),
    "manifest lists a tag file": with_tags(A, manifest_sha256=manifest(A | {"bagit.txt": b""})),
    "other version": with_tags(A, bagit=b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"),
    "other encoding": with_tags(A, bagit=b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n"),
    "oxum wrong": with_tags(A, bag_info=b"Payload-Oxum: 5.2\n"),
    "oxum missing": with_tags(A, bag_info=b"Bagging-Date: 2026-11-24\n"),
    "oxum twice": with_tags(A, bag_info=b"Payload-Oxum: 5.1\nPayload-Oxum: 5.1\n"),
    "info malformed": with_tags(A, bag_info=b"Payload-Oxum: 5.1\nno colon\n"),
    "tag file altered": {**with_tags(A), "bag-info.txt": b"Payload-Oxum: 5.1\nX: y\n"},
    "tag file unlisted": {**with_tags(A), "notes.txt": b"x"},
    "fetch": with_tags(A, fetch=b"http://127.0.0.1/a 5 data/a.txt\n"),
    "other manifest": with_tags(A, manifest_md5=b""),
    "other tag manifest": {**with_tags(A), "tagmanifest-md5.txt": b""},
    "no payload": with_tags({}),
    "nothing": {},
    **{
        f"no {tag_file}": {path: raw for path, raw in with_tags(A).items() if path != tag_file}
        for tag_file in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
    },
}


@pytest.mark.parametrize("case", INVALID)
def test_bag_that_is_incomplete_or_invalid_is_refused(tmp_path: Path, case: str) -> None:
    assert refused(archive(INVALID[case]), tmp_path / "into") == "bag-invalid"


@pytest.mark.parametrize("bounds", [{"payload_bytes_max": 9}, {"files_max": 0}])
def test_more_than_the_deposit_statement_says_is_refused(tmp_path: Path, bounds: dict[str, int]) -> None:
    extra = [member(f"bag/data/d{number}", tarfile.DIRTYPE) for number in range(60)]
    with pytest.raises(unpack.BagInvalidError):
        unpack_bag(io.BytesIO(archive(plain_bag(), *extra)), tmp_path / "into", **bounds)
    unpack_bag(io.BytesIO(archive(plain_bag())), tmp_path / "into", payload_bytes_max=10, files_max=2)


def test_too_many_tag_files_are_refused(tmp_path: Path) -> None:
    """At most 60, beside the four that every bag has."""
    most = {f"note{number}": b"" for number in range(60)}
    unpack_bag(io.BytesIO(archive(with_tags(A, **most))), tmp_path / "most")
    assert refused(archive(with_tags(A, **most, more=b"")), tmp_path / "into") == "bag-invalid"


@pytest.mark.parametrize("path", ["data/bomb", "manifest-sha256.txt", "notes.txt"])
def test_bomb_is_refused_before_it_is_written(tmp_path: Path, path: str) -> None:
    """A header that promises 8 GiB is refused at once, although none of it follows."""
    info = member(f"bag/{path}")
    info.size = 8 * 1024**3 - 1
    with pytest.raises(unpack.BagInvalidError):
        unpack_bag(io.BytesIO(info.tobuf()), tmp_path / "into", payload_bytes_max=1000)


def test_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    with pytest.raises(unpack.UnpackTargetError):
        unpack_bag(io.BytesIO(archive(plain_bag())), tmp_path)
    assert tree(tmp_path) == {"mine": b"mine"}


def test_empty_directory_is_empty_again_after_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(unpack.BagInvalidError):
        unpack_bag(io.BytesIO(archive(INVALID["file altered"])), tmp_path)
    assert list(tmp_path.iterdir()) == []


_UNPACKS: Final = """
from tallystick.bag.unpack import BagInvalidError, unpack_bag

def work():
    try:
        with open(sys.argv[2], "rb") as archive:
            unpack_bag(archive, Path(sys.argv[3]))
    except BagInvalidError as error:
        return error.message

measured(work)
"""


def test_the_largest_manifest_is_read_in_little_memory(tmp_path: Path) -> None:
    lines = (f"{number:064x}  data/{number}\n".encode() for number in range(BAG_TAG_FILE_BYTES_MAX // 78))
    (tmp_path / "bag.tar").write_bytes(archive(with_tags(A, manifest_sha256=manifest(A) + b"".join(lines))))
    cost = cost_of(_UNPACKS, str(tmp_path / "bag.tar"), str(tmp_path / "into"), into=tmp_path)
    assert cost.said == "a file is listed and missing", cost
    assert cost.is_soon_and_small(), cost
