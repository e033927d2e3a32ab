"""The export of evidence: what it folds, it folds while others may write."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event

from activities.evidence import EvidenceActivities
from activities.places import EvidenceBusyError
from activities.rounds.log_signing import LogSigning
from tallystick.limits.processes import EVIDENCE_STEPS_EACH_MAX
from tallystick.messages import EvidenceRequest
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.gate_worlds import World, typed
from tests.support.worlds.prepared_worlds import ready_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return ready_world(tmp_path)


def exporting(world: World, tell: Callable[[str], None] = lambda _: None) -> EvidenceActivities:
    return EvidenceActivities(
        database=world.database,
        blobs=world.blobs,
        log_key=LOG_KEY,
        root_keys=frozenset(),
        signing=LogSigning(database=world.database, log_key=LOG_KEY, deployment=world.agreement.deployment),
        tell=tell,
    )


def test_an_export_reads_no_claims_record_inside_a_write_transaction(world: World) -> None:
    said = list[str]()
    event.listen(world.database, "before_cursor_execute", lambda *given: said.append(str(given[2])))
    event.listen(world.database, "commit", lambda *_: said.append("COMMIT"))
    exporting(world, said.append).export_evidence(EvidenceRequest(claim=world.claim))
    written, writing = list[str](), False
    for one in said:
        writing = one == "BEGIN IMMEDIATE" or (writing and one != "COMMIT")
        written += [one] if writing else []
    assert any("checkpoints" in one for one in written)
    folds = "ledger_entries.claim = ?"
    assert not any(folds in one for one in written)
    assert any(folds in one for one in said), "outside, the record is read"


def test_evidence_files_of_one_agreement_leave_others_their_places(world: World) -> None:
    evidence, asked = exporting(world), EvidenceRequest(claim=world.claim)
    with ExitStack() as under_way:
        for _ in range(EVIDENCE_STEPS_EACH_MAX):
            under_way.enter_context(evidence.places.place("another-agreement"))
        assert evidence.export_evidence(asked).size_bytes > 0
        for _ in range(EVIDENCE_STEPS_EACH_MAX):
            under_way.enter_context(evidence.places.place(world.agreement.id))
        with pytest.raises(EvidenceBusyError), typed():
            evidence.export_evidence(asked)
