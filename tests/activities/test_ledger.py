"""What somebody who moves a clock, or forges a workflow, gets out of the ledger's activities: nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.ledger import LedgerActivities
from tallystick.crypto.statement import envelope_bytes, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.kinds import Purpose
from tallystick.domain.progress import due
from tallystick.domain.state import ClaimState
from tallystick.domain.statements import ClaimFiling
from tallystick.messages import ClaimStart, FileClaim, RecordHappening
from tests.support.agreements import BEA, CRITICAL, LOG_KEY, PEOPLE, agreement
from tests.support.gate_worlds import (
    CLAIM_IDENTITY,
    DEPLOYMENT,
    FILED,
    READY,
    World,
    accepted,
    deposited,
    document,
    prepared_world,
    typed,
)


def activities(world: World) -> LedgerActivities:
    return LedgerActivities(engine=world.engine, log_key=LOG_KEY, deployment=DEPLOYMENT)


def happening(world: World, at: datetime) -> RecordHappening:
    case = world.case()
    found = due(world.agreement, case.claim, at=at)
    assert found is not None
    return RecordHappening(
        claim=world.claim,
        agreement=world.agreement.id,
        agreement_digest=world.digest,
        happening=found.happening.value,
        at=at,
        after=case.raw[-1].index,
        stage=found.stage,
        until=found.until,
        cause=found.cause,
        because=found.because,
    )


def test_the_workflows_clock_alone_lets_no_claim_lapse(tmp_path: Path) -> None:
    world = accepted(prepared_world(tmp_path / "site"))
    world.settle(READY - timedelta(days=1))
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    asked = happening(world, ahead)
    assert asked.happening == "lapsed"
    assert not activities(world).record_happening(asked).recorded
    assert world.case().claim.state is ClaimState.APPROVAL
    assert activities(world).record_happening(happening(world, ahead - timedelta(days=60))).recorded


def test_a_forged_workflow_files_nothing_under_a_superseded_version(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site")
    World(folder=world.folder, agreement=agreement(version=2, supersedes=world.digest)).register()
    body = world.body(
        ClaimFiling,
        BEA,
        FILED,
        condition="insolvency",
        deposit=deposited(world),
        stages=(CRITICAL,),
        evidence=tuple(document(item, FILED) for item in ("insolvency-record", "outage-record")),
        recipient=str(CLAIM_IDENTITY.recipient()),
        purpose=Purpose.RELEASE,
        declaration="Support has ceased.",
    )
    envelope = world.signed(body, PEOPLE[BEA].signing_key)
    start = ClaimStart(
        claim=statement_id(envelope), agreement=world.agreement.id, envelope=envelope_bytes(envelope).decode()
    )
    with pytest.raises(TallystickError) as refusal, typed():
        activities(world).file_claim(FileClaim(start=start, at=FILED))
    assert refusal.value.code == "agreement-superseded"
