"""The largest and slowest record that the rules permit is verified, soon and in little memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tallystick.crypto.envelope import envelope_json
from tallystick.crypto.keyfile import write_key_file
from tallystick.domain.ids import claim_id
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIGNATURES_MAX, EVIDENCE_SIZE_BYTES_MAX
from tests.support.costs import cost_of
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.stories.disputed_records import contested_record, denied_record
from tests.support.verdicts import verdict_on
from tests.support.worlds.agreements import (
    BEN,
    CRITICAL,
    LOG_KEY,
)
from tests.support.worlds.attackers import Attackers
from tests.support.worlds.deliveries import keys_of
from tests.support.worlds.worst_records import fill, room, shown, signatures, worst_record


@pytest.fixture(scope="module")
def attackers(tmp_path_factory: pytest.TempPathFactory) -> Attackers:
    return worst_record(tmp_path_factory.mktemp("worst") / "world")


def test_the_worst_record_is_verified_soon_and_in_little_memory(attackers: Attackers, tmp_path: Path) -> None:
    rows = list(attackers.rows)
    fill(attackers, room(attackers))
    assert signatures(attackers) > EVIDENCE_SIGNATURES_MAX * 0.99
    file = tmp_path / "evidence.json"
    file.write_bytes(attackers.file())
    attackers.rows[:] = rows

    assert file.stat().st_size > EVIDENCE_SIZE_BYTES_MAX * 0.96
    verdict = verdict_on(file)
    assert verdict.holds, verdict
    assert verdict.is_soon_and_small(), verdict


def test_a_record_that_is_wrong_at_its_end_is_refused_as_soon(attackers: Attackers, tmp_path: Path) -> None:
    rows = list(attackers.rows)
    fill(attackers, room(attackers) - 1)
    engine = attackers.world.engine_person
    attackers.say(Event, engine, LOG_KEY, happening=Happening.QUORUM_REACHED, stage=CRITICAL)
    file = tmp_path / "evidence.json"
    file.write_bytes(attackers.file())
    assert len(attackers.rows) == EVIDENCE_ENTRIES_MAX
    attackers.rows[:] = rows

    verdict = verdict_on(file)
    assert verdict.premise == "record-folds", verdict
    assert verdict.is_soon_and_small(), verdict


_RECEIVES: Final = """
from datetime import UTC, datetime
from tallystick.cli.commands.receive import RemoteEscrow
from tallystick.client.http import Client
from tallystick.crypto.keyfile import read_key_file
from tallystick.domain.errors import TallystickError
from tallystick.receiver.delivery import read_delivery

def work():
    api, claim, keys = sys.argv[2], sys.argv[3], read_key_file(Path(sys.argv[4]))
    with Client(api, keys, now=lambda: datetime.now(UTC)) as client:
        escrow = RemoteEscrow(client=client)
        shown, record = escrow.delivery(claim), escrow.record(claim)
        try:
            at = datetime(2100, 1, 1, tzinfo=UTC)
            read_delivery(shown, record, claim=claim, keys=keys, trust=print, at=at)
        except TallystickError as error:
            return error.code

measured(work)
"""


def test_a_receiver_reads_the_worst_record_soon_and_in_little_memory(
    attackers: Attackers, tmp_path: Path
) -> None:
    rows, claim = list(attackers.rows), claim_id(attackers.world.claim)
    fill(attackers, room(attackers))
    pages = dict(shown(attackers, claim))
    attackers.rows[:] = rows
    write_key_file(tmp_path / "ben.key", keys_of(BEN))
    delivery = {"agreement_envelope": envelope_json(rows[0][1])}
    with serving(FakeApi(shows={**pages, f"/v1/claims/{claim}/delivery": delivery})) as api:
        cost = cost_of(_RECEIVES, api.url, claim, str(tmp_path / "ben.key"), into=tmp_path)
    assert cost.said == "not-a-receiver", cost  # which only a whole record shows
    assert cost.is_soon_and_small(), cost


@pytest.mark.parametrize("disputed", [contested_record, denied_record])
def test_a_claim_in_dispute_over_every_stage_is_verified_soon_and_in_little_memory(
    disputed: Callable[[Path], Attackers], tmp_path: Path
) -> None:
    disputes = disputed(tmp_path / "world")
    fill(disputes, room(disputes))
    file = tmp_path / "evidence.json"
    file.write_bytes(disputes.file())
    verdict = verdict_on(file)
    assert verdict.holds, verdict
    assert verdict.is_soon_and_small(), verdict
