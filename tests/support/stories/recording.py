"""What a claim's workflow asks of the ledger's activities, in a prepared world."""

from datetime import datetime

from activities.ledger import LedgerActivities
from activities.rounds.log_signing import LogSigning
from tallystick.crypto.envelope import envelope_bytes, statement_id
from tallystick.domain.kinds import Happening
from tallystick.messages import ClaimStart, FileClaim, RecordHappening
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.gate_worlds import DEPLOYMENT, FILED, World
from tests.support.worlds.prepared_worlds import deposited


def signing(world: World) -> LogSigning:
    return LogSigning(database=world.database, log_key=LOG_KEY, deployment=DEPLOYMENT)


def activities(world: World) -> LedgerActivities:
    return LedgerActivities(
        database=world.database, blobs=world.blobs, log_key=LOG_KEY, grown=signing(world).sign
    )


def filing(world: World) -> FileClaim:
    """A claim on the world's last deposit, under the world's version of the agreement."""
    envelope = world.filing(deposited(world))
    start = ClaimStart(
        claim=statement_id(envelope), agreement=world.agreement.id, envelope=envelope_bytes(envelope).decode()
    )
    return FileClaim(start=start, at=FILED)


def head(world: World) -> int:
    """The index of the latest entry on the claim's record."""
    return world.case().raw[-1].index


def happening(world: World, what: Happening, at: datetime, **told: object) -> RecordHappening:
    """What the workflow reports as having happened, on the current record."""
    return RecordHappening(
        claim=world.claim,
        agreement=world.agreement.id,
        happening=what,
        at=at,
        after=head(world),
        **told,  # type: ignore[arg-type]
    )
