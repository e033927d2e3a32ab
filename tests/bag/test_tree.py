"""What a build needs besides bytes arrives: true names, links, modes, times, directories without a file."""

import hashlib
import io
import os
import stat
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tallystick.bag import tree
from tallystick.bag.links import faults_of_links
from tallystick.bag.restore import NamesNotKeptApartError
from tallystick.bag.survey import BagSourceRefusedError, survey
from tallystick.bag.tree import EntryKind, TreeEntry, TreeRefusedError, read_tree, tree_bytes
from tallystick.bag.unpack import unpack_bag
from tallystick.bag.write import BagSummary, write_bag
from tallystick.limits.bags import BAG_REFUSALS_NAMED_MAX
from tests.bag.test_unpack import archive, with_tags
from tests.support.blind_disk import make_blind

LINKS_SECONDS_MAX = 3

Seen = dict[bytes, tuple[str, int, int, bytes]]


def seen(root: Path) -> Seen:
    """Everything below a folder, by its name in bytes: kind, mode, time, and content or target."""
    found: Seen = {}
    for folder, directories, files in os.walk(root):
        for place in (Path(folder) / name for name in (*directories, *files)):
            facts = place.lstat()
            kind = {stat.S_IFREG: "file", stat.S_IFDIR: "directory"}.get(stat.S_IFMT(facts.st_mode), "link")
            content = place.read_bytes() if kind == "file" else b""
            if kind == "link":
                content = os.fsencode(os.readlink(place))  # noqa: PTH115 - a Path would tidy the target
            name = os.fsencode(place.relative_to(root))
            found[name] = (kind, facts.st_mode & 0o777, facts.st_mtime_ns, content)
    return found


def bagged(source: Path) -> tuple[bytes, BagSummary]:
    out = io.BytesIO()
    found = write_bag(source, out, name="bag", external_identifier="x", bagged_on=date(2026, 1, 2))
    return out.getvalue(), found


def carried(source: Path, into: Path) -> Seen:
    """What of `source` arrives."""
    raw, written = bagged(source)
    assert unpack_bag(io.BytesIO(raw), into) == written
    return seen(into / "data")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "src" / "hollow").mkdir(parents=True)
    (root / "src" / "main.c").write_bytes(b"int main(void) { return 0; }\n")
    (root / "src" / "main.c").chmod(0o640)
    (root / "configure").write_bytes(b"#!/bin/sh\n")
    (root / "configure").chmod(0o755)
    (root / "frozen").write_bytes(b"")
    (root / "frozen").chmod(0o444)
    return root


def test_modes_and_times_to_the_nanosecond_arrive(source: Path, tmp_path: Path) -> None:
    os.utime(source / "configure", ns=(1, 1_700_000_000_123_456_789))
    os.utime(source / "src" / "main.c", ns=(1, -5))
    (source / "src" / "hollow").chmod(0o750)
    os.utime(source / "src", ns=(1, 1_600_000_000_000_000_001))
    assert carried(source, tmp_path / "into") == seen(source)
    assert {place.name for place in (tmp_path / "into").iterdir() if place.is_dir()} == {"data"}


def test_generated_file_is_still_newer_than_its_source(tmp_path: Path) -> None:
    for name, at in (("a-generated.c", 2_000), ("z-grammar.y", 1_000)):
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / name).write_bytes(b"x")
        os.utime(tmp_path / "source" / name, (at, at))
    found = carried(tmp_path / "source", tmp_path / "into")
    assert found[b"a-generated.c"][2] > found[b"z-grammar.y"][2]


@pytest.mark.parametrize(
    "name",
    [
        b"100%.txt",
        b"back\\slash",
        b"latin-1 \xe9",
        "decomposed e\u0301".encode(),
        "right to left \u202e.txt".encode(),
        b"new\nline",
        b" space ",
        b"con.txt",
        b"what?",
        b"ends with a dot.",
        b"tallystick-names/0000001",
        b"tallystick-names",
        b"caf\xc3/file below a name that is not UTF-8",
    ],
)
def test_name_that_is_not_the_same_everywhere_arrives_and_has_a_portable_path_in_the_bag(
    name: bytes, source: Path, tmp_path: Path
) -> None:
    place = source / os.fsdecode(name)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"content of " + name)
    assert carried(source, tmp_path / "into") == seen(source)
    assert all(path.isascii() for path in (one.path for one in survey(source).files))


def test_names_that_differ_only_in_case_both_arrive(source: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "makefile"):
        (source / name).write_text(name)
    (source / "SRC").mkdir()
    (source / "SRC" / "main.c").write_text("another")
    assert carried(source, tmp_path / "into") == seen(source)


TWINS: dict[str, tuple[str, str]] = {
    "files by case": ("Makefile", "makefile"),
    "files by accent": ("caf\u00e9", "cafe\u0301"),
    "directories": ("Lib/a", "lib/b"),
    "links": ("Link@configure", "link@configure"),
    "link and file": ("again", "Again@configure"),
}


def make(root: Path, name: str) -> None:
    """Make a file, with what it is in; or a link, if `name` says where it leads."""
    place, _, target = name.partition("@")
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(target) if target else (root / place).write_text(name)


@pytest.mark.parametrize("twins", TWINS.values(), ids=TWINS)
def test_disk_that_takes_two_names_for_one_loses_neither(
    twins: tuple[str, str], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in twins:
        make(source, name)
    raw, _ = bagged(source)
    (tmp_path / "blind").mkdir()
    with monkeypatch.context() as patching:
        make_blind(tmp_path / "blind", patching)
        with pytest.raises(NamesNotKeptApartError) as refused:
            unpack_bag(io.BytesIO(raw), tmp_path / "blind" / "into")
    names = {ascii(os.fsencode(one.partition("@")[0].partition("/")[0]))[1:] for one in twins}
    assert refused.value.facts["name"] in names
    assert list((tmp_path / "blind").iterdir()) == []


def test_disk_that_ignores_case_takes_a_tree_whose_names_differ_by_more(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "Main").symlink_to("src/main.c")
    expected = seen(source)
    raw, _ = bagged(source)
    with monkeypatch.context() as patching:
        make_blind(tmp_path, patching)
        unpack_bag(io.BytesIO(raw), tmp_path / "into")
    assert seen(tmp_path / "into" / "data") == expected


def test_directories_without_a_file_arrive_however_many(source: Path, tmp_path: Path) -> None:
    for number in range(200):
        (source / f"m{number}" / "resources").mkdir(parents=True)
    assert carried(source, tmp_path / "into") == seen(source)
    raw, written = bagged(source)
    bounds = {"files_max": written.files, "payload_bytes_max": written.payload_bytes}
    unpack_bag(io.BytesIO(raw), tmp_path / "bounded", **bounds)


def test_links_inside_arrive_as_links(source: Path, tmp_path: Path) -> None:
    (source / "main").symlink_to("src/main.c")
    (source / "src" / "up").symlink_to("../configure")
    (source / "around").symlink_to("src/../src/./hollow")
    (source / "again").symlink_to("around/../up")  # from src/hollow, so it is src/up
    os.utime(source / "main", ns=(1, 7), follow_symlinks=False)
    assert carried(source, tmp_path / "into") == seen(source)
    assert (tmp_path / "into" / "data" / "again").read_bytes() == b"#!/bin/sh\n"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "a link to an absolute path"),
        ("../outside", "a link that leads out of the component"),
        ("src/../../outside", "a link that leads out of the component"),
        ("hollow-link/../../..", "a link that leads out of the component"),
        ("nowhere", "a link to something that is not there"),
        ("configure/x", "a link through something that is not a directory"),
        ("link", "a link that leads to itself"),
    ],
)
def test_link_that_does_not_resolve_inside_is_refused(target: str, reason: str, source: Path) -> None:
    (source / "hollow-link").symlink_to("src/hollow")
    (source / "link").symlink_to(target)
    with pytest.raises(BagSourceRefusedError) as refused:
        bagged(source)
    assert refused.value.facts["refused"] == [{"path": "'link'", "reason": reason}]


def test_all_that_cannot_be_deposited_is_named_in_one_refusal(source: Path) -> None:
    for number in range(BAG_REFUSALS_NAMED_MAX + 1):
        (source / f"link-{number:04}").symlink_to("/")
    os.mkfifo(source / "a-pipe")
    with pytest.raises(BagSourceRefusedError) as refused:
        bagged(source)
    named = refused.value.facts["refused"]
    assert isinstance(named, list)
    assert named[0] == {"path": "'a-pipe'", "reason": "neither a file, a directory nor a link"}
    assert (len(named), refused.value.facts["count"]) == (BAG_REFUSALS_NAMED_MAX, BAG_REFUSALS_NAMED_MAX + 2)


def test_bag_with_a_tree_is_valid_for_stock_tools(source: Path, tmp_path: Path) -> None:
    (source / "100%.txt").write_text("all of it")
    (source / "main").symlink_to("src/main.c")
    (tmp_path / "bag.tar").write_bytes(bagged(source)[0])

    def runs(*command: str, at: Path) -> bool:
        return subprocess.run(command, cwd=at, check=False, capture_output=True).returncode == 0

    assert runs("tar", "-xf", "bag.tar", at=tmp_path)
    assert runs(
        "sha256sum", "--strict", "-c", "manifest-sha256.txt", "tagmanifest-sha256.txt", at=tmp_path / "bag"
    )
    assert tree.TREE_FILE in (tmp_path / "bag" / "tagmanifest-sha256.txt").read_text()


def test_content_is_unchanged_if_only_times_differ(source: Path) -> None:
    content = survey(source).content_digest
    os.utime(source / "configure", (1, 1))
    assert survey(source).content_digest == content == bagged(source)[1].content_digest


CHANGES: dict[str, Callable[[Path], object]] = {
    "mode": lambda root: (root / "configure").chmod(0o700),
    "name": lambda root: (root / "configure").rename(root / "configure.sh"),
    "bytes": lambda root: (root / "src" / "main.c").write_bytes(b"int main(void) { return 1; }\n"),
    "directory": lambda root: (root / "src" / "hollow").rmdir(),
    "link": lambda root: (root / "link").symlink_to("configure"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_content_is_changed_by_anything_else(change: Callable[[Path], object], source: Path) -> None:
    content = survey(source).content_digest
    change(source)
    assert survey(source).content_digest != content


def test_content_tells_where_a_link_leads(source: Path) -> None:
    contents = set[str]()
    for target in ("configure", "src/main.c"):
        (source / "link").unlink(missing_ok=True)
        (source / "link").symlink_to(target)
        contents.add(survey(source).content_digest)
    assert len(contents) == 2


# A tree file that a hostile depositor wrote.

A = TreeEntry(name=b"a", kind=EntryKind.FILE, mode=0o644, mtime_ns=0, path="data/a")
D = TreeEntry(name=b"d", kind=EntryKind.DIRECTORY, mode=0o755, mtime_ns=0)


def link(name: bytes, target: bytes) -> TreeEntry:
    return TreeEntry(name=name, kind=EntryKind.LINK, mode=0o777, mtime_ns=0, target=target)


def named(name: bytes) -> TreeEntry:
    return TreeEntry(name=name, kind=EntryKind.FILE, mode=0o644, mtime_ns=0, path="data/a")


def bag_with(raw: bytes, **others: bytes) -> io.BytesIO:
    """A bag with one file, data/a, whose tree file is `raw`, and with other tag files."""
    files, tags = with_tags({"data/a": b"content"}), {tree.TREE_FILE: raw, **others}
    manifest = files.pop("tagmanifest-sha256.txt")
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode() for name, content in tags.items()]
    return io.BytesIO(archive({**files, **tags, "tagmanifest-sha256.txt": manifest + b"".join(lines)}))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [D],
        [A, A],
        [named(b"../a")],
        [named(b"/a")],
        [named(b"")],
        [named(b"a/../../x")],
        [named(b"d/a")],
        [named(b"a\0b")],
        [named(b"x" * 256)],
        [D, link(b"e", b"d"), named(b"e/a")],
        [A, link(b"e", b"/")],
        [A, link(b"e", b"..")],
        [A, link(b"e", b"f"), link(b"f", b"e")],
        [A, link(b"e", b"")],
        [A, TreeEntry(name=b"b", kind=EntryKind.FILE, mode=0o644, mtime_ns=0, path="data/b")],
        [TreeEntry(name=b"a", kind=EntryKind.FILE, mode=0o4755, mtime_ns=0, path="data/a")],
        [TreeEntry(name=b"a", kind=EntryKind.FILE, mode=0o644, mtime_ns=0, path="bagit.txt")],
        [TreeEntry(name=b"a", kind=EntryKind.LINK, mode=0o644, mtime_ns=0, path="data/a")],
    ],
)
def test_tree_that_is_not_sound_is_refused_and_nothing_is_kept(
    entries: list[TreeEntry], tmp_path: Path
) -> None:
    with pytest.raises(TreeRefusedError):
        unpack_bag(bag_with(tree_bytes(entries)), tmp_path / "into")
    assert list(tmp_path.iterdir()) == []


GOOD = tree_bytes([A])
MODE = b'"mode":420'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"]}\n", b"]}"),
        (b"}\n]}\n", b"},\n]}\n"),
        (b"]}\n", b"]}\n "),
        (b"tree/2", b"tree/3"),
        (MODE, b'"mode":420.0'),
        (MODE, b'"mode":true'),
        (MODE, b'"mode":420,"more":1'),
        (MODE, b'"mode":420,"mode":420'),
        (MODE, b'"mode": 420'),
        (b"0.000000000", b"0.0"),
        (b'"YQ=="', b'"YR=="'),
        (b"data/a", b"data/a" + b"x" * 100_000),
        (b'"kind":"file"', b'"kind":' + b"[" * 5_000),
        (GOOD, b""),
    ],
)
def test_tree_file_in_any_other_form_is_refused(old: bytes, new: bytes, tmp_path: Path) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(TreeRefusedError):
        unpack_bag(bag_with(GOOD.replace(old, new)), tmp_path / "into")
    assert list(tmp_path.iterdir()) == []
    unpack_bag(bag_with(GOOD), tmp_path / "good")


def test_tree_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    entries = [D, link(b"d/l", b"\xff"), named(b"d/x\n"), A]
    (tmp_path / "tree").write_bytes(tree_bytes(entries))
    assert list(read_tree(tmp_path / "tree")) == sorted(entries, key=lambda entry: entry.name)


@pytest.mark.parametrize("name", ["data.tree", "data.tree/a", "Data.Tree"])
def test_no_tag_file_is_in_the_way_of_the_tree(name: str, tmp_path: Path) -> None:
    unpack_bag(bag_with(GOOD, **{name: b"in the way"}), tmp_path / "into")
    assert (tmp_path / "into" / "data" / "a").read_bytes() == b"content"
    assert (tmp_path / "into" / name).read_bytes() == b"in the way"


def through_each_other() -> list[TreeEntry]:
    """Links that each lead through the next one first, and then to and fro as long as a target may be."""
    to_and_fro = b"/.." + 800 * b"/d/.." + b"/d"
    return [D, *(link(b"l%02d" % n, b"l%02d" % (n + 1) + to_and_fro) for n in range(30)), link(b"l30", b"d")]


def one_after_the_other() -> list[TreeEntry]:
    return [D, *(link(b"l%04d" % n, b"l%04d" % (n + 1)) for n in range(5000)), link(b"l5000", b"d")]


@pytest.mark.parametrize(("tree", "faults"), [(through_each_other(), 0), (one_after_the_other(), 4961)])
def test_links_through_links_take_no_more_work_than_their_targets_have_bytes(
    tree: list[TreeEntry], faults: int
) -> None:
    begun = time.process_time()
    assert len(list(faults_of_links(tree))) == faults
    assert time.process_time() - begun < LINKS_SECONDS_MAX


def test_a_way_goes_through_forty_links_and_no_more(tmp_path: Path) -> None:
    """Linux itself is asked as well."""
    chain = [D, *(link(b"l%02d" % n, b"l%02d" % (n + 1)) for n in range(41)), link(b"l41", b"d")]
    (tmp_path / "d").mkdir()
    for one in chain[1:]:
        (tmp_path / os.fsdecode(one.name)).symlink_to(os.fsdecode(one.target or b""))
    too_far = {one.name for one, _ in faults_of_links(chain)}
    assert (
        too_far == {one.name for one in chain if one.target and not leads(tmp_path, one)} == {b"l00", b"l01"}
    )


def leads(root: Path, one: TreeEntry) -> bool:
    try:
        return (root / os.fsdecode(one.name)).stat().st_mode > 0
    except OSError:
        return False
