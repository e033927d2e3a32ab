"""Notices of claims: those of one agreement leave others their places."""

from contextlib import ExitStack

import pytest
from temporalio.testing import ActivityEnvironment

from activities.notices.claim import NoticeActivities
from activities.notices.post import Post
from activities.places import NoticeBusyError
from tallystick.limits.processes import NOTICE_STEPS_EACH_MAX
from tallystick.messages import GiveNotice
from tests.support.worlds.agreements import LETTER_KEY, LOG_KEY
from tests.support.worlds.gate_worlds import READY, World, typed
from tests.support.worlds.prepared_worlds import accepted, prepared_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return accepted(prepared_world(tmp_path_factory.mktemp("world")))


def notices_of(world: World) -> NoticeActivities:
    post = Post(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY)
    return NoticeActivities(database=world.database, log_key=LOG_KEY, post=post)


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
