"""What a story of `temporal` begins with: an agreement in 2040, dealt custody, a verified deposit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.windows import Calendar
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event
from tallystick.messages import DealCustody
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.custody import live_custody, missing_epochs
from tests.support.worlds.agreements import AGREEMENT, DORA, LOG_KEY, PARTIES, PEOPLE
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import CONTENTS

BEGIN: Final = datetime(2040, 1, 2, 9, tzinfo=UTC)
_CALENDARS: Final = tuple(
    Calendar(id=name, weekend=("sat", "sun"), holidays=(date(2040, 4, 2),), covers_until=date(2042, 12, 31))
    for name in ("de-by", "gb-eng", "nl")
)

_IN_OUTBOX: Final = (Channel(kind=ChannelKind.OUTBOX, address="nordwind"),)
SOME_DAY: Final[Agreement] = replace(
    AGREEMENT,
    calendars=_CALENDARS,
    parties=(replace(PARTIES[0], channels=_IN_OUTBOX), *PARTIES[1:]),
)
"""The sound agreement in 2040, whose depositor is notified through an outbox only."""
ANY_DAY: Final[Agreement] = replace(
    SOME_DAY, calendars=tuple(replace(one, covers_until=date(2099, 12, 31)) for one in _CALENDARS)
)
"""The same agreement, whose calendars hold for servers that do not skip time."""


def deposited_world(
    folder: Path, agreement: Agreement = SOME_DAY, *, at: datetime = BEGIN - timedelta(hours=1)
) -> tuple[World, Digest]:
    """A registered agreement with dealt custody and a verified deposit, an hour before the story begins."""
    world = World(folder=folder, agreement=agreement)
    with transaction(world.database) as session:
        agreements.register(session, world.agreement_statement(), at)
    with reading(world.database) as session:
        wanted = missing_epochs(session, agreement.id, agreement)
    for component, epoch in wanted:
        world.gate(at=at).deal(DealCustody(agreement=agreement.id, component=component, epoch=epoch))
    deposit = undeposited(world, at)
    with transaction(world.database) as session:
        stored = deposits.record(session, deposit, at)
    verdict = world.body(
        Event, world.engine_person, at, happening=Happening.DEPOSIT_VERIFIED, cause=stored.digest
    )
    with transaction(world.database) as session:
        ledger.append(session, agreement.id, world.signed(verdict, LOG_KEY), at, claim=None)
    return world, stored.digest


def undeposited(world: World, at: datetime, number: int = 1, previous: Digest | None = None) -> Envelope:
    """A deposit whose sealed files are stored, and whose statement is not on record."""
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    components = tuple(
        world.sealed(name, plain, live[name]) for name, plain in CONTENTS.items() if name in live
    )
    body = world.body(
        Deposit, DORA, at, number=number, previous=previous, watermark=at, components=components
    )
    return world.signed(body, PEOPLE[DORA].signing_key)
