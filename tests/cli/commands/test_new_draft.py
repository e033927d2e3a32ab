"""`agreement new`: what it writes, and what it says is left to do."""

from pathlib import Path

from tests.cli.conftest import Office

CHOSEN = ("--party", "depositor=nordwind", "--party", "beneficiary=halden", "--party", "agent=harbour")


def test_a_draft_says_what_to_edit_and_what_comes_next(office: Office) -> None:
    ran = office.run("agreement", "new", "four-party", "--country", "DE", "--region", "BY", *CHOSEN)
    assert ran.code == 0, ran.err
    draft = Path("agreement.yaml").read_text(encoding="utf-8")
    assert "id: de-by" in draft
    assert "time_zone: Europe/Berlin" in draft
    first, *_, now_true, following = ran.out.splitlines()
    assert first == "line 9: what the agreement is about"
    assert now_true.startswith("agreement.yaml is a draft that nobody has signed")
    assert following == "next: tallystick agreement check agreement.yaml"


def test_a_file_that_is_there_is_left_alone(office: Office) -> None:
    Path("mine.yaml").write_text("mine", encoding="utf-8")
    ran = office.run("agreement", "new", "three-party", "--out", "mine.yaml")
    assert ran.code == 1
    assert "File exists" in ran.err
    assert Path("mine.yaml").read_text(encoding="utf-8") == "mine"


def test_a_region_without_a_country_is_wrong_usage(office: Office) -> None:
    assert office.run("agreement", "new", "three-party", "--region", "BY").code == 2
    assert not Path("agreement.yaml").exists()


def test_a_template_that_there_is_not_is_named_with_those_there_are(office: Office) -> None:
    ran = office.run("agreement", "new", "two-party")
    assert ran.code == 2
    assert "three-party" in ran.err
