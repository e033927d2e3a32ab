"""The export of evidence: what it folds, it folds while others may write."""

from pathlib import Path

import pytest
from sqlalchemy import event

from activities.evidence import EvidenceActivities
from activities.rounds.log_signing import LogSigning
from tallystick.messages import EvidenceRequest
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import ready_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return ready_world(tmp_path)


def test_an_export_reads_no_claims_record_inside_a_write_transaction(world: World) -> None:
    said = list[str]()
    event.listen(world.database, "before_cursor_execute", lambda *given: said.append(str(given[2])))
    event.listen(world.database, "commit", lambda *_: said.append("COMMIT"))
    exporting = EvidenceActivities(
        database=world.database,
        blobs=world.blobs,
        log_key=LOG_KEY,
        root_keys=frozenset(),
        signing=LogSigning(database=world.database, log_key=LOG_KEY, deployment=world.agreement.deployment),
        tell=said.append,
    )
    exporting.export_evidence(EvidenceRequest(claim=world.claim))
    written, writing = list[str](), False
    for one in said:
        writing = one == "BEGIN IMMEDIATE" or (writing and one != "COMMIT")
        written += [one] if writing else []
    assert any("checkpoints" in one for one in written)
    folds = "ledger_entries.claim = ?"
    assert not any(folds in one for one in written)
    assert any(folds in one for one in said), "outside, the record is read"
