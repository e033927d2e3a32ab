"""A whole claim with the ledger on PostgreSQL; `tallystick up` gets only the database's address."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from tallystick.cli.demo.narrator import AGREEMENT
from tests.stack.test_whole_site import APPROVERS, Up, agree_and_deposit, going_up
from tests.support.sites.postgresql import PostgresServer, running_postgresql
from tests.support.waits import wait_for


@pytest.fixture
def postgresql() -> Generator[PostgresServer]:
    with running_postgresql() as server:
        yield server


@pytest.fixture
def up(tmp_path: Path, postgresql: PostgresServer) -> Generator[Up, None, None]:
    with going_up(tmp_path, "--database-url", postgresql.url()) as running:
        yield running


@pytest.mark.timeout(120)
def test_a_stage_goes_out_and_its_evidence_holds_with_the_ledger_on_postgresql(
    up: Up, postgresql: PostgresServer
) -> None:
    desk = up.desk
    agree_and_deposit(desk)
    claim = desk.files(deposit=1, stages="[critical]")
    for person in APPROVERS:
        desk.types(person, "approve", claim, "--stage", "critical", "--yes")
    wait_for(lambda: desk.shows(f"/v1/claims/{claim}")["stages"][0]["state"] == "DECIDED")
    scripts = desk.desk / "receiver"
    health = ("--activate", f"sh {scripts}/activate.sh", "--health", f"sh {scripts}/health.sh")
    desk.types("bea@halden", "receive", claim, "--into", "bank", "--once", *health)
    wait_for(lambda: desk.shows(f"/v1/claims/{claim}")["state"] == "RELEASED")
    desk.types("bea@halden", "evidence", "export", claim, "--out", "evidence.json")
    agreed = desk.shows(f"/v1/agreements/{AGREEMENT}")["digest"]
    desk.types(None, "evidence", "verify", "evidence.json", "--trust", agreed)
    with psycopg.connect(postgresql.conninfo) as connection:
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (1,)
    assert not list(desk.desk.parent.rglob("tallystick.db"))
