"""The largest and slowest record that the rules permit is verified, soon and in little memory."""

from pathlib import Path
from typing import Final

import pytest

from tallystick.crypto.envelope import envelope_json
from tallystick.crypto.keyfile import write_key_file
from tallystick.domain.ids import claim_id
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIGNATURES_MAX, EVIDENCE_SIZE_BYTES_MAX
from tests.support.costs import Cost, cost_of, cost_of_command
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.stories.disputed_records import contested_record, denied_record
from tests.support.verdicts import verdict_on
from tests.support.worlds.agreements import ANA, BEN, CRITICAL, LOG_KEY
from tests.support.worlds.attackers import Attackers
from tests.support.worlds.deliveries import keys_of
from tests.support.worlds.worst_records import fill, room, shown, signatures, worst_record

SIGNING_BYTES_MAX: Final = 240 * 1024 * 1024
"""Less than any command may take: the words of digests, 32 MiB, are not made on top of a record."""


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


def test_a_claim_that_is_denied_over_every_stage_is_verified_soon_and_in_little_memory(
    tmp_path: Path,
) -> None:
    _check_verified(denied_record(tmp_path / "world"), tmp_path)


def test_a_claim_that_is_contested_over_every_stage_is_verified_and_approved_soon_and_in_little_memory(
    tmp_path: Path,
) -> None:
    contested = contested_record(tmp_path / "world")
    _check_verified(contested, tmp_path)

    cost = _approved(contested, tmp_path)
    assert cost.said == 0, cost
    assert "its record says: state" in cost.err, cost  # the last of what is shown
    assert cost.is_soon_and_small(), cost
    assert cost.memory_bytes <= SIGNING_BYTES_MAX, cost


def _check_verified(disputes: Attackers, folder: Path) -> None:
    fill(disputes, room(disputes))
    file = folder / "evidence.json"
    file.write_bytes(disputes.file())
    verdict = verdict_on(file)
    assert verdict.holds, verdict
    assert verdict.is_soon_and_small(), verdict


def _approved(attackers: Attackers, folder: Path) -> Cost:
    """Return what it costs a person to read all of a claim's record from a server, and approve the claim."""
    agreement, claim = attackers.world.agreement.id, claim_id(attackers.world.claim)
    pages = {**dict(shown(attackers, claim)), **dict(shown(attackers, attackers.world.claim))}
    signed = {"envelope": envelope_json(attackers.rows[0][1]), "agreement": agreement}
    write_key_file(folder / "ana.key", keys_of(ANA))
    with serving(FakeApi(shows={**pages, f"/v1/agreements/{agreement}": signed})) as api:
        words = ("--api", api.url, "--key", str(folder / "ana.key"), "--yes", "--reason", "x")
        return cost_of_command("approve", claim, *words, into=folder)
