"""A copy that the gate replaces on its way is reported on the claim's own record."""

from tallystick.domain.claim.claim import Claim
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.store.database.session import reading
from tallystick.store.registers import deposits
from tests.support.sites.temporal import Story
from tests.support.worlds.agreements import ANA, KIM, TOM
from tests.workflows.claim.test_release import after_window


def flip_one_copy(story: Story) -> str:
    """Alter a byte of one copy of a blob of the claimed stage; return what must be recorded."""
    with reading(story.world.database) as session:
        stored = deposits.latest(session, story.world.agreement.id)
        assert stored is not None
        deposit = stored.body()
    wanted = story.world.agreement.stage(story.on_record().stages[0].stage).components[0]
    (sealed,) = (one.sealed_digest for one in deposit.components if one.component == wanted)
    copy = story.world.sealed_files(sealed)[-1]
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    return f"{wanted}: {copy.relative_to(story.world.folder).parts[0]} altered, replaced from a good copy"


def repairs(claim: Claim) -> list[Event]:
    bodies = [body for _, body in claim.entries_of(Event)]
    return [body for body in bodies if body.happening is Happening.REPLICA_REPAIRED]


async def test_copy_that_the_gate_replaced_is_recorded_once_for_the_claim(story: Story) -> None:
    async with story.carried():
        await after_window(story)
        line = flip_one_copy(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to_be("PROVISIONING")
        await story.reports("critical")
        await story.comes_to_be("RELEASED")
        released = await story.comes_to(lambda claim: bool(repairs(claim)))
    assert [event.because for event in repairs(released)] == [(line,)]
