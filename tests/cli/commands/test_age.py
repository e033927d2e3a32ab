"""age files are sealed and opened with keys that stock age understands, and with our own key files."""

from pathlib import Path

from tallystick.crypto.age import open_bytes
from tests.cli.conftest import Office
from tests.support.worlds.agreements import ANA, KIM, PEOPLE

SECRET = b"The licence keys.\n" * 5000


def seal(office: Office) -> None:
    Path("plain").write_bytes(SECRET)
    recipient = PEOPLE[ANA].person.age_recipient
    assert office.run("age", "encrypt", "-r", recipient, "plain", "-o", "sealed").code == 0


def test_sealed_file_opens_for_its_recipient(office: Office) -> None:
    Path("small").write_bytes(b"small")
    office.run("age", "encrypt", "-r", PEOPLE[ANA].person.age_recipient, "small", "-o", "sealed")
    assert open_bytes(Path("sealed").read_bytes(), [PEOPLE[ANA].identity]) == b"small"


def test_key_file_opens_what_was_sealed_to_its_person(office: Office) -> None:
    seal(office)
    ran = office.run("age", "decrypt", "-i", str(office.key(ANA)), "sealed", "-o", "opened")
    assert (ran.code, Path("opened").read_bytes()) == (0, SECRET)
    assert Path("opened").stat().st_mode & 0o077 == 0


def test_identity_file_of_stock_age_opens_it_too(office: Office) -> None:
    seal(office)
    Path("identity").write_text(f"# created today\n{PEOPLE[ANA].identity.secret_text()}\n")
    assert office.run("age", "decrypt", "-i", "identity", "sealed", "-o", "opened").code == 0
    assert Path("opened").read_bytes() == SECRET


def test_other_identity_is_refused_and_leaves_no_file(office: Office) -> None:
    seal(office)
    ran = office.run("age", "decrypt", "-i", str(office.key(KIM)), "sealed", "-o", "opened")
    assert (ran.code, ran.problem["code"]) == (1, "no-identity-matches")
    assert not list(Path().glob("opened*"))


def test_altered_file_leaves_nothing_opened(office: Office) -> None:
    seal(office)
    raw = bytearray(Path("sealed").read_bytes())
    raw[-1] ^= 1
    Path("sealed").write_bytes(raw)
    ran = office.run("age", "decrypt", "-i", str(office.key(ANA)), "sealed", "-o", "opened")
    assert ran.code == 1
    assert not list(Path().glob("opened*"))


def test_secret_of_an_identity_is_never_shown(office: Office) -> None:
    Path("identity").write_text(PEOPLE[ANA].identity.secret_text()[:-1] + "\n")
    ran = office.run("age", "decrypt", "-i", "identity", "identity", "-o", "opened")
    assert ran.code == 1
    assert "SECRET-KEY-PQ-1" not in ran.err
