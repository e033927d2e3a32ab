"""A newer generation of rules, with the real workflow and gate: each claim is carried under its own."""

from tallystick.domain.statements.acts import Approval
from tallystick.domain.statements.header import LedgerSeen
from tests.support.sites.temporal import SECOND, Story
from tests.support.worlds.agreements import ANA, KIM, TOM
from tests.support.worlds.generations import next_version
from tests.support.worlds.groundwork import some_digest
from tests.workflows.claim.test_release import in_window, refusal_of

SEEN = LedgerSeen(size=1, root=some_digest(1))


async def test_claim_in_its_window_is_carried_on_under_the_rules_it_was_filed_under(story: Story) -> None:
    async with story.carried():
        claim = await in_window(story)
        with next_version():
            for person in (ANA, KIM, TOM):
                await story.approves(person)
            assert claim.window_until is not None
            await story.until(claim.window_until + 2 * SECOND)
            await story.comes_to_be("PROVISIONING")
            await story.reports("critical")
            released = await story.comes_to_be("RELEASED")
            assert released.filing.generation == 1
            assert await story.ends() == "RELEASED"


async def test_new_claim_names_the_newest_generation_and_is_held_to_it(story: Story) -> None:
    async with story.carried():
        with next_version():
            assert await refusal_of(story.files(generation=1)) == "generation-replaced"
            await story.files()
            await story.accepts()
            assert await refusal_of(story.approves(ANA)) == "misdirected"
            assert await approves_having_seen(story) == "ACCEPTED"
            assert story.on_record().filing.generation == 2


async def approves_having_seen(story: Story) -> str:
    approval = story.read(await story.approval(ANA)).body
    assert isinstance(approval, Approval)
    members = {name: getattr(approval, name) for name in ("stages", "purpose", "expires_at", "reason")}
    return (await story.says(Approval, ANA, ledger_seen=SEEN, **members)).state
