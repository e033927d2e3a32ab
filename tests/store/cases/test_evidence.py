"""What an export reads: what belongs into the file, by its place, whatever else is in the log."""

from pathlib import Path

from sqlalchemy import event

from tallystick.domain.statements.acts import Hold
from tallystick.proof.evidence.verify import verify
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import reading
from tallystick.store.registers.custody import epochs
from tests.support.worlds.agreements import KIM, LOG_KEY
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS, World
from tests.support.worlds.prepared_worlds import ready_world


def exported(world: World, checkpoint: bytes) -> bytes:
    with reading(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY, checkpoint=checkpoint)


def questions_to(world: World) -> list[str]:
    """What the world's database is asked from now on."""
    asked: list[str] = []
    event.listen(world.database, "before_cursor_execute", lambda *given: asked.append(str(given[2])))
    return asked


def test_no_custody_epoch_is_read_but_those_that_the_pinned_deposit_names(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    world.decide()
    world.deal()
    checkpoint = world.sign_checkpoint()
    with reading(world.database) as session:
        last = epochs(session, world.agreement.id)[-1].entry.index
    world.execute("UPDATE ledger_entries SET envelope = x'00' WHERE \"index\" = ?", last)
    assert verify(exported(world, checkpoint)).holds


def test_what_an_export_asks_for_does_not_grow_with_the_checkpoints_that_authors_name(
    tmp_path: Path,
) -> None:
    counts: list[int] = []
    for name, acts in (("few", 1), ("many", 9)):
        world = ready_world(tmp_path / name)
        for _ in range(acts):
            world.say(Hold, KIM, READY, reason="wait", ledger_seen=world.seen())
        checkpoint = world.sign_checkpoint()
        asked = questions_to(world)
        exported(world, checkpoint)
        counts.append(len(asked))
    assert counts[0] == counts[1]
