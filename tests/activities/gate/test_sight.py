"""What the gate sees for itself, whatever the rows of the database say."""

from dataclasses import replace
from pathlib import Path

from activities.gate.sight import see_surroundings
from tallystick.domain.ids import StageId
from tallystick.store.database.session import database_now, transaction
from tallystick.store.database.tables import DepositRow
from tests.support.worlds.agreements import DORA
from tests.support.worlds.gate_worlds import READY
from tests.support.worlds.prepared_worlds import ready_world


def test_deposit_that_is_no_deposit_is_not_found(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    case = world.case()
    astray = replace(case.claim.filing, deposit=case.claim.digest)
    forged = replace(case, claim=replace(case.claim, filing=astray))
    with transaction(world.database) as session:
        session.add(
            DepositRow(
                agreement_id=case.agreement.id,
                number=9,
                digest=case.claim.digest,
                accepted_at=READY,
                person=DORA,
                size_bytes=0,
            )
        )
        session.flush()
        at = database_now(session)
        sound = see_surroundings(session, case, StageId("critical"), remembered=None, database_at=at)
        assert sound.deposit is not None
        assert sound.deposit.id == case.claim.filing.deposit
        seen = see_surroundings(session, forged, StageId("critical"), remembered=None, database_at=at)
        assert seen.deposit is None
        assert not seen.custody
