"""What was recorded is kept next to the key, up to a number of statements."""

from pathlib import Path

from tallystick.crypto.envelope import Envelope, sign
from tallystick.desk.kept.sent import Sent
from tallystick.limits.desk import SENT_KEPT_MAX
from tests.support.worlds.agreements import ANA, PEOPLE


def held(nonce: str) -> Envelope:
    return sign("hold", {"nonce": nonce}, [PEOPLE[ANA].signing_key])


def test_the_oldest_give_way_when_there_are_too_many(tmp_path: Path) -> None:
    sent = Sent(folder=tmp_path / "ana.key.sent")
    sent.keep(held("1"))
    for number in range(SENT_KEPT_MAX - 1):
        (sent.folder / f"{number}.json").touch()
    sent.keep(held("1"))
    assert [*sent.statements()] == [held("1")]
    sent.keep(held("2"))
    assert len([*sent.folder.glob("*.json")]) == SENT_KEPT_MAX
    assert {*map(str, sent.statements())} == {*map(str, (held("1"), held("2")))}


def test_a_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    sent = Sent(folder=tmp_path / "ana.key.sent")
    sent.keep(held("1"))
    (sent.folder / "0.json").write_text("no statement")
    assert [*sent.statements()] == [held("1")]
