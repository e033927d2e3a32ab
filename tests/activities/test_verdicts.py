"""What is put on record about a deposit that had bad copies."""

from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.engine import Event
from tallystick.messages import DepositVerdict, RecordVerdict
from tallystick.proof.reading import read_signed
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import deposits
from tests.support.stories.recording import activities
from tests.support.worlds.gate_worlds import READY, World
from tests.support.worlds.prepared_worlds import deposited, prepared_world
from tests.support.worlds.story_worlds import undeposited

LINE = "docs: south altered, replaced from a good copy"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def on_record(world: World, *, verified: bool, because: tuple[str, ...]) -> list[Event]:
    """What the engine says about a new deposit once its verdict has been recorded twice."""
    envelope = undeposited(world, READY, number=2, previous=deposited(world))
    with transaction(world.database) as session:
        stored = deposits.record(session, envelope, READY)
    verdict = DepositVerdict(verified=verified, because=because)
    for at in (READY, READY + timedelta(minutes=1)):
        activities(world).record_deposit_verdict(
            RecordVerdict(agreement=world.agreement.id, deposit=stored.digest, verdict=verdict, at=at)
        )
    with reading(world.database) as session:
        events = ledger.entries(session, world.agreement.id, kinds=[Kind.EVENT], after=stored.entry.index)
    bodies = [read_signed(entry.statement(), world.agreement).body for entry in events]
    return [body for body in bodies if isinstance(body, Event) and body.cause == stored.digest]


def test_copy_that_was_replaced_while_a_deposit_was_verified_is_recorded_once(world: World) -> None:
    events = on_record(world, verified=True, because=(LINE,))
    assert [(event.happening, event.because) for event in events] == [
        (Happening.DEPOSIT_VERIFIED, (LINE,)),
        (Happening.REPLICA_REPAIRED, (LINE,)),
    ]


@pytest.mark.parametrize("because", [(), ("docs: north altered", "docs: south altered")])
def test_nothing_is_said_to_be_replaced_when_nothing_was(world: World, because: tuple[str, ...]) -> None:
    (event,) = on_record(world, verified=not because, because=because)
    assert event.happening is (Happening.DEPOSIT_FAILED if because else Happening.DEPOSIT_VERIFIED)
