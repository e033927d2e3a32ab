"""A passphrase in a file: its first line, in UTF-8, and a word about what is unwise."""

import os
import threading
from pathlib import Path

import pytest

from tallystick.desk.passphrases import PassphraseFileError, read_passphrase, weaknesses


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").touch(mode=0o600)
    return tmp_path / "passphrase"


@pytest.mark.parametrize("content", [b"a tally stick\n", b"a tally stick", b"a tally stick\r\nrest \xff"])
def test_the_first_line_is_the_passphrase(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    assert (read_passphrase(file).passphrase, read_passphrase(file).warnings) == ("a tally stick", ())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\nsecond", "is empty"),
        (b"x" * 1024, "too long"),
        (b"x" * 5000 + b"\n", "too long"),
        (b"gr\xfcn\n", "UTF-8"),
        (b"\xef\xbb\xbfa tally stick\n", "byte order mark"),
        ("a tally stick\n".encode("utf-16"), "byte order mark"),
    ],
)
def test_a_file_without_one_is_refused_and_why(content: bytes, why: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(PassphraseFileError, match=why):
        read_passphrase(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PassphraseFileError, match="No such file"):
        read_passphrase(tmp_path / "nowhere")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_may_use_brings_a_warning(mode: int, file: Path) -> None:
    file.write_text("a tally stick")
    file.chmod(mode)
    assert [str(file) in warning for warning in read_passphrase(file).warnings] == [True]


def test_a_pipe_gives_a_passphrase_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o644)
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("a tally stick\n"))
    writer.start()
    filed = read_passphrase(tmp_path / "pipe")
    writer.join()
    assert (filed.passphrase, filed.warnings) == ("a tally stick", ())


def test_no_passphrase_is_shown(file: Path) -> None:
    file.write_text("a tally stick")
    assert "tally" not in repr(read_passphrase(file)).replace("tallystick", "")


@pytest.mark.parametrize(
    ("passphrase", "weak"),
    [("tally", True), ("a" * 14, True), ("abababababababab", True), ("a split stick of hazel", False)],
)
def test_a_passphrase_that_is_easily_guessed_brings_a_warning(passphrase: str, *, weak: bool) -> None:
    assert bool(list(weaknesses(passphrase))) == weak
