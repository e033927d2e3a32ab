"""Keys are made once, proven, private, and never shown."""

import os
import stat
from pathlib import Path

import pytest

from tallystick.crypto.enrolment import read_public_file
from tallystick.crypto.keyfile import read_key_file
from tests.cli.conftest import Office


def test_new_key_is_private_and_its_public_file_is_proven(office: Office, tmp_path: Path) -> None:
    ran = office.run("key", "new", "ana@harbour", "--out", str(tmp_path), "--json")
    keys = read_key_file(tmp_path / "ana@harbour.key")
    enrolment = read_public_file((tmp_path / "ana@harbour.pub").read_bytes())
    assert ran.code == 0
    assert enrolment.signing_key == keys.signing_key.public_key == ran.json["signing_key"]
    assert stat.S_IMODE((tmp_path / "ana@harbour.key").stat().st_mode) == 0o600


def test_public_file_may_be_read_by_everybody_whatever_the_umask(office: Office) -> None:
    before = os.umask(0o077)
    try:
        office.run("key", "new", "ana@harbour")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("ana@harbour.pub").stat().st_mode) == 0o644
    assert stat.S_IMODE(Path("ana@harbour.key").stat().st_mode) == 0o600


def test_key_is_never_overwritten(office: Office) -> None:
    office.run("key", "new", "ana@harbour")
    before = Path("ana@harbour.key").read_bytes()
    ran = office.run("key", "new", "ana@harbour")
    assert (ran.code, ran.problem["code"]) == (1, "key-file-exists")
    assert Path("ana@harbour.key").read_bytes() == before


def test_sealed_key_is_read_with_the_passphrase_file(office: Office) -> None:
    Path("passphrase").write_text("correct horse\n")
    office.run("key", "new", "ana@harbour", "--passphrase-file", "passphrase")
    ran = office.run("--passphrase-file", "passphrase", "key", "show", "ana@harbour.key", "--json")
    assert ran.json["person"] == "ana@harbour"


def test_wrong_passphrase_is_refused(office: Office) -> None:
    Path("passphrase").write_text("correct horse\n")
    office.run("key", "new", "ana@harbour", "--passphrase-file", "passphrase")
    Path("passphrase").write_text("wrong horse\n")
    ran = office.run("--passphrase-file", "passphrase", "key", "show", "ana@harbour.key")
    assert ran.problem["code"] == "passphrase-wrong"


def test_weak_passphrase_and_one_that_others_may_read_are_reported(office: Office) -> None:
    Path("passphrase").write_text("horse\n")
    Path("passphrase").chmod(0o644)
    ran = office.run("key", "new", "ana@harbour", "--passphrase-file", "passphrase")
    assert ran.code == 0
    assert "chmod 600" in ran.err
    assert "5 characters" in ran.err


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_byte_order_mark_is_named_with_its_file(mark: bytes, office: Office) -> None:
    office.run("key", "new", "ana@harbour")
    for name in ("ana@harbour.pub", "ana@harbour.key"):
        Path(name).write_bytes(mark + Path(name).read_bytes())
        ran = office.run("key", "show", name)
        assert (ran.code, ran.problem["facts"]["file"]) == (1, name)
        assert "byte order mark" in ran.problem["detail"]


def test_empty_passphrase_is_refused(office: Office) -> None:
    Path("passphrase").write_text("\n")
    ran = office.run("key", "new", "ana@harbour", "--passphrase-file", "passphrase")
    assert ran.problem["code"] == "passphrase-file"
    assert not Path("ana@harbour.key").exists()


def test_shown_key_and_public_file_agree_and_hold_no_secret(office: Office) -> None:
    office.run("key", "new", "ana@harbour")
    private = office.run("key", "show", "ana@harbour.key", "--json")
    public = office.run("key", "show", "ana@harbour.pub", "--json")
    assert private.json == public.json
    assert "SECRET" not in private.out


def test_person_without_a_party_is_refused(office: Office) -> None:
    assert office.run("key", "new", "ana").problem["code"] == "malformed-name"
