"""What was signed and not answered is kept as it was signed, and dropped once it is answered or too old."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallystick.client.http import Client
from tallystick.client.problems import UnexpectedAnswerError, UnreachableError
from tallystick.crypto.envelope import Envelope, body_of, envelope_bytes, sign, unsigned
from tallystick.crypto.keys import SigningKey
from tallystick.desk.kept.sent import Sent
from tallystick.desk.kept.unsent import Unsent, is_expired
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.limits.desk import UNSENT_LIFETIME_MAX
from tests.support.sites.fake_api import HANGS_UP, FakeApi, serving
from tests.support.worlds.agreements import ANA, PEOPLE
from tests.support.worlds.deliveries import keys_of

KEY = PEOPLE[ANA].signing_key
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
PATH = "/v1/claims/x/holds"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(FakeApi()) as served:
        yield served


@pytest.fixture
def client(api: FakeApi) -> Iterator[Client]:
    with Client(api.url, keys_of(ANA), now=lambda: datetime.now(UTC), pause=lambda _: None) as client:
        yield client


@pytest.fixture
def unsent(tmp_path: Path) -> Unsent:
    return Unsent(
        folder=tmp_path / "ana.key.unsent", signer=KEY.public_key, sent=Sent(folder=tmp_path / "ana.key.sent")
    )


def says(nonce: str, **members: str) -> dict[str, str]:
    return {"reason": "an injunction", "issued_at": instant_text(AT), "nonce": nonce, **members}


def held(nonce: str = "1", **members: str) -> Envelope:
    return sign("hold", says(nonce, **members), [KEY])


def lose(api: FakeApi, client: Client, unsent: Unsent, envelope: Envelope) -> None:
    api.fails[f"POST {PATH}"] = [(HANGS_UP, None)]
    with pytest.raises(UnreachableError):
        unsent.send(client, PATH, envelope)


def test_what_got_no_answer_is_found_by_what_it_says(api: FakeApi, client: Client, unsent: Unsent) -> None:
    lose(api, client, unsent, held(expires_at="2026-11-25T09:00:00Z"))
    again = unsigned("hold", says("2", issued_at="2026-11-24T10:00:00Z", expires_at="2026-11-25T10:00:00Z"))
    found = unsent.same(PATH, again, AT)
    assert found is not None
    assert body_of(found)["nonce"] == "1"
    other = unsigned("hold", {**says("2"), "reason": "another"})
    assert unsent.same(PATH, other, AT) is None
    assert unsent.same("/v1/claims/y/holds", again, AT) is None
    assert unsent.same(PATH, unsigned("denial", dict(body_of(again))), AT) is None


def test_it_lies_there_for_its_owner_alone(api: FakeApi, client: Client, unsent: Unsent) -> None:
    lose(api, client, unsent, held())
    (file,) = unsent.folder.iterdir()
    assert stat.S_IMODE(unsent.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_lies_there_before_it_is_sent(api: FakeApi, client: Client, unsent: Unsent) -> None:
    seen: list[int] = []

    def looks() -> dict[str, str]:
        seen.append(len(list(unsent.folder.iterdir())))
        return {}

    api.shows[f"POST {PATH}"] = looks
    unsent.send(client, PATH, held())
    assert seen == [1]


@pytest.mark.parametrize("answer", [None, (409, {"code": "wrong-state", "detail": "no"})])
def test_what_was_answered_is_dropped(
    answer: tuple[int, object] | None, api: FakeApi, client: Client, unsent: Unsent
) -> None:
    lose(api, client, unsent, held())
    if answer is not None:
        api.fails[f"POST {PATH}"] = [answer]
        with pytest.raises(TallystickError):
            unsent.send(client, PATH, held())
    else:
        unsent.send(client, PATH, held())
    assert list(unsent.folder.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        (502, b"<html>"),
        (503, {"code": "busy", "detail": "no", "retryable": True}),
        (500, {"code": "defect", "detail": "no"}),
        (201, {"statement": "sha256:other"}),
    ],
)
def test_what_leaves_it_open_whether_it_is_on_record_drops_nothing(
    answer: tuple[int, object], api: FakeApi, client: Client, unsent: Unsent
) -> None:
    api.fails[f"POST {PATH}"] = [answer] * 10
    with pytest.raises((TallystickError, UnexpectedAnswerError)):
        unsent.send(client, PATH, held())
    assert unsent.same(PATH, held("2"), AT) == held()


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"expires_at": "2026-11-24T10:00:00Z"}, AT + timedelta(hours=1)),
        ({}, AT + UNSENT_LIFETIME_MAX + timedelta(seconds=1)),
    ],
)
def test_what_is_too_old_is_not_sent_again(
    members: dict[str, str], at: datetime, api: FakeApi, client: Client, unsent: Unsent
) -> None:
    lose(api, client, unsent, held(**members))
    assert unsent.same(PATH, held("2", **members), at) is None
    assert list(unsent.folder.iterdir()) == []


def test_what_this_key_did_not_sign_is_not_sent_in_its_name(
    api: FakeApi, client: Client, unsent: Unsent
) -> None:
    lose(api, client, unsent, sign("hold", says("1"), [SigningKey(32 * b"x")]))
    assert unsent.same(PATH, held("2"), AT) is None


def test_what_is_not_whole_is_passed_over(api: FakeApi, client: Client, unsent: Unsent) -> None:
    lose(api, client, unsent, held())
    (file,) = unsent.folder.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    (unsent.folder / "link.json").symlink_to("/dev/zero")
    (unsent.folder / "envelope.json").write_bytes(envelope_bytes(held()))
    assert unsent.same(PATH, held("2"), AT) is None


def test_a_folder_that_cannot_be_written_keeps_nobody_from_objecting(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answered = Unsent(
        folder=tmp_path / "file", signer=KEY.public_key, sent=Sent(folder=tmp_path / "file")
    ).send(client, PATH, held())
    assert answered["state"] == "FILED"


@pytest.mark.parametrize(("issued", "old"), [("0001-01-01T00:00:00Z", True), ("9999-12-31T23:59:59Z", False)])
def test_a_statement_from_either_end_of_time_is_old_or_not(issued: str, *, old: bool) -> None:
    assert is_expired({"issued_at": issued}, datetime(2026, 11, 27, tzinfo=UTC)) is old


def test_what_was_recorded_is_kept_and_what_was_refused_is_not(
    api: FakeApi, client: Client, unsent: Unsent
) -> None:
    unsent.send(client, PATH, held("1"))
    api.fails[f"POST {PATH}"] = [(409, "not-yours")]
    with pytest.raises(TallystickError):
        unsent.send(client, PATH, held("2"))
    assert [*unsent.sent.statements()] == [held("1")]
