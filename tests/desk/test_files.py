"""Files at a desk: whole, bounded, and a refusal that names the file and says why."""

from pathlib import Path

import pytest

from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.crypto.keys import SigningKey
from tallystick.desk.files import FileUnusableError, read_envelope, read_file, write_file
from tallystick.domain.errors import MalformedError

KEY = SigningKey(32 * b"k")


def test_a_file_is_read_whole_up_to_its_limit_and_not_one_byte_more(tmp_path: Path) -> None:
    file = tmp_path / "outage.txt"
    file.write_bytes(b"12345")
    assert read_file(file, size_bytes_max=5) == b"12345"
    with pytest.raises(FileUnusableError, match="larger than 4 bytes") as refused:
        read_file(file, size_bytes_max=4)
    assert refused.value.facts == {"file": "outage.txt", "limit": 4}


def test_a_file_that_is_not_there_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(FileUnusableError, match=r"cannot read .*outage\.txt: No such file") as refused:
        read_file(tmp_path / "outage.txt", size_bytes_max=5)
    assert refused.value.facts == {"file": "outage.txt", "reason": "No such file or directory"}


def test_a_file_that_cannot_be_written_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    write_file(tmp_path / "out.json", b"{}")
    assert (tmp_path / "out.json").read_bytes() == b"{}"
    with pytest.raises(FileUnusableError, match=r"cannot write .*out\.json: Not a directory") as refused:
        write_file(tmp_path / "out.json" / "out.json", b"{}")
    assert refused.value.facts["file"] == "out.json"


def test_an_envelope_is_read_as_it_was_written_and_nothing_else_is(tmp_path: Path) -> None:
    envelope, file = sign("intake", {"accepted": True}, [KEY]), tmp_path / "intake.json"
    file.write_bytes(envelope_bytes(envelope))
    assert read_envelope(file) == envelope
    file.write_bytes(b"{}")
    with pytest.raises(MalformedError):
        read_envelope(file)
