"""Notices of claims: those of one agreement leave others their places."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.clock import now
from activities.notices.claim import NoticeActivities
from activities.notices.post import Post
from activities.places import NoticeBusyError, SlowShare
from tallystick.domain.statements.acts import Intake
from tallystick.limits.processes import NOTICE_STEPS_EACH_MAX
from tallystick.messages import GiveNotice
from tests.support.sites.raw_server import speaking
from tests.support.worlds.agreements import ANA, LETTER_KEY, LOG_KEY
from tests.support.worlds.gate_worlds import FILED, READY, World, typed
from tests.support.worlds.prepared_worlds import accepted, deposited, prepared_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return accepted(prepared_world(tmp_path_factory.mktemp("world")))


_SLOW = SlowShare(after=timedelta(minutes=1), places=1)


def notices_of(world: World, *, smtp_url: str | None = None, slow: SlowShare = _SLOW) -> NoticeActivities:
    post = Post(
        domain="test.invalid",
        outbox_dir=world.folder / "outbox",
        letter_key=LETTER_KEY,
        smtp_url=smtp_url,
        time_max=timedelta(seconds=0.6),
    )
    return NoticeActivities(database=world.database, log_key=LOG_KEY, post=post, slow=slow)


async def test_notices_of_one_agreement_leave_others_their_places(
    world: World,
) -> None:
    notices, environment = notices_of(world), ActivityEnvironment()
    asked = GiveNotice(claim=world.claim, agreement=world.agreement.id, attempt=1, at=READY, after=-1)
    with ExitStack() as under_way:
        for _ in range(NOTICE_STEPS_EACH_MAX):
            under_way.enter_context(notices.places.place("another-agreement"))
        assert (await environment.run(notices.give_notice, asked)).entries
    with ExitStack() as under_way:
        for _ in range(NOTICE_STEPS_EACH_MAX):
            under_way.enter_context(notices.places.place(world.agreement.id))
        with pytest.raises(NoticeBusyError) as busy, typed():
            await environment.run(notices.give_notice, asked)
    assert busy.value.retryable, "Temporal asks again"
    assert (await environment.run(notices.give_notice, asked)).entries, "places are given back"


@pytest.fixture
def owing(tmp_path: Path) -> World:
    """A claim that was taken in, of which the depositor has no notice yet."""
    world = prepared_world(tmp_path / "world")
    world = world.file(deposited(world))
    world.say(Intake, ANA, FILED + timedelta(hours=1), accepted=True)
    return world


def present() -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=now())
    return environment


def first_notice(world: World) -> GiveNotice:
    return GiveNotice(claim=world.claim, agreement=world.agreement.id, attempt=1, at=READY, after=-1)


async def test_notices_to_one_depositor_under_many_agreements_leave_others_their_places(
    owing: World,
) -> None:
    notices, asked = notices_of(owing), first_notice(owing)
    keys = [one.signing_key for one in owing.agreement.persons if one.party == "nordwind"]
    with ExitStack() as under_way:
        for number in range(NOTICE_STEPS_EACH_MAX):
            owners = (f"agreement {number}", " ".join(sorted(keys)))
            under_way.enter_context(notices.depositors.place(*owners))
        with pytest.raises(NoticeBusyError), typed():
            await present().run(notices.give_notice, asked)
    with ExitStack() as under_way:
        for number in range(NOTICE_STEPS_EACH_MAX):  # one who lists a key of theirs is another party
            owners = (f"agreement {number}", " ".join(sorted([*keys, "ed25519:another"])))
            under_way.enter_context(notices.depositors.place(*owners))
        assert (await present().run(notices.give_notice, asked)).recorded


async def test_a_depositor_whose_mail_server_hangs_is_slow_from_then_on_and_keeps_no_other_waiting(
    owing: World,
) -> None:
    share = SlowShare(after=timedelta(seconds=0.3), places=1)
    with speaking(b"") as address:
        notices = notices_of(owing, smtp_url=address.replace("http", "smtp"), slow=share)
        assert (await present().run(notices.give_notice, first_notice(owing))).recorded
    with ExitStack() as under_way:
        under_way.enter_context(notices.depositors.place(owing.agreement.id))
        with pytest.raises(NoticeBusyError), notices.depositors.place(owing.agreement.id):
            pass
        for number in range(2 * NOTICE_STEPS_EACH_MAX):
            under_way.enter_context(notices.depositors.place(f"agreement {number}"))
