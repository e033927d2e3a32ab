"""Which custody epochs are spent follows from the decisions that released something, and from no other."""

from pathlib import Path

from tallystick.domain.statements.header import LedgerSeen
from tallystick.store.database.session import reading
from tallystick.store.registers.custody import live_custody, spent_custody
from tests.support.worlds.agreements import ANA, CRITICAL, KIM, TOM
from tests.support.worlds.gate_worlds import READY, World
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import accepted, prepared_world, ready_world


def spent(world: World) -> int:
    with reading(world.database) as session:
        return len(spent_custody(session, world.agreement.id))


def test_a_release_spends_the_epochs_of_its_stages_components(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    assert spent(world) == 0
    world.decide()
    assert spent(world) == len(world.agreement.stage(CRITICAL).components) > 0


def test_no_refusal_is_read_however_many_there_are(tmp_path: Path) -> None:
    world = accepted(prepared_world(tmp_path / "world"))
    for person, seen in ((ANA, None), (KIM, None), (TOM, LedgerSeen(size=3, root=some_digest(1)))):
        world.approve(person, READY, ledger_seen=seen)
    world.settle(READY)
    world.sign_checkpoint()
    assert world.decide().outcome != "released"
    world.execute("UPDATE ledger_entries SET envelope = x'00' WHERE kind = 'decision'")
    assert spent(world) == 0
    with reading(world.database) as session:
        assert len(live_custody(session, world.agreement.id)) == len(world.agreement.components)
