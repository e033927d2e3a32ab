"""Worlds of `gate_worlds` for tests: with a deposit, with an accepted claim, or ready for release."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import body_of
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.statements.acts import Intake, NoticeAcknowledgement
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import LedgerSeen
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import claims, deposits
from tallystick.store.registers.custody import live_custody
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, CRITICAL, DORA, KIM, PEOPLE, TOM, agreement
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, FILED, READY, World

CONTENTS: Final = {component.id: f"what {component.id} is".encode() for component in AGREEMENT.components}


def prepared_world(
    folder: Path, *, versions: int = 1, first: Agreement = AGREEMENT, seen: LedgerSeen | None = None
) -> World:
    """An agreement with this many versions, dealt custody and a verified deposit; no claim yet.

    Args:
        seen: What the depositor had verified of the log.
    """
    folder.mkdir(exist_ok=True)
    world = World(folder=folder, agreement=first)
    world.register()
    for version in range(2, versions + 1):
        world = World(folder=folder, agreement=agreement(version=version, supersedes=world.digest))
        world.register()
    world.deal()
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    world.deposit(CONTENTS, live, seen)
    return world


def deposited(world: World) -> Digest:
    """The last deposit."""
    with reading(world.database) as session:
        last = deposits.latest(session, world.agreement.id)
    assert last is not None
    return last.digest


def unreadable_claim(world: World, person: PersonId) -> None:
    """A claim on record in the name of someone whose key did not sign it."""
    filing = decode(ClaimFiling, body_of(world.filing(deposited(world))))
    signer = BEA if person != BEA else DORA
    with transaction(world.database) as session:
        claims.file(session, world.signed(replace(filing, person=person), PEOPLE[signer].signing_key), FILED)


def accepted(world: World, *, settle: bool = True, stages: tuple[StageId, ...] = (CRITICAL,)) -> World:
    """A claim on the deposit, accepted, of which the depositor has acknowledged notice."""
    world = world.file(deposited(world), stages=stages)
    world.say(Intake, ANA, FILED + timedelta(hours=1), accepted=True)
    world.notify(FILED + timedelta(hours=1))
    world.sight(FILED + timedelta(hours=1))
    world.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED)
    if settle:
        world.settle(ACKNOWLEDGED)
    return world


def ready_world(
    folder: Path,
    *,
    versions: int = 1,
    first: Agreement = AGREEMENT,
    stages: tuple[StageId, ...] = (CRITICAL,),
) -> World:
    """A claim whose window is over, whose quorum is reached, in a log with a checkpoint."""
    world = accepted(prepared_world(folder, versions=versions, first=first), stages=stages)
    for person in (ANA, KIM, TOM):
        world.approve(person, READY - timedelta(days=3), stages=stages)
    world.settle(READY - timedelta(hours=1))
    world.sign_checkpoint()
    return world


def released_world(folder: Path) -> World:
    """A claim one of whose stages the gate, halted, refused at first, and released ten hours later."""
    world = ready_world(folder)
    world.decide(world.gate(halted=True))
    later = READY.replace(hour=18)
    world.settle(later)
    world.decide(world.gate(at=later))
    return world
