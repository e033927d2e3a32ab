"""A full disk acknowledges nothing, loses nothing, and takes the same statement once there is room."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from structlog.testing import capture_logs

from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.ledger.checkpoints import verify_log
from tests.support.sites.service import Service
from tests.support.worlds.agreements import PEOPLE

ADDRESS = "/agreements/nordwind-halden/revocations"
REPEATED = 20


class Disk:
    """How large SQLite may let its file become: as on a disk that is full, a write fails with SQLITE_FULL."""

    pages_max = 1  # SQLite takes it for as many as there are

    def limit(self, connection: DBAPIConnection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {self.pages_max}")
        cursor.close()


@pytest.fixture
def disk(service: Service) -> Iterator[Disk]:
    full, database = Disk(), service.app.state.backend.database
    event.listen(database, "checkout", full.limit)
    yield full
    event.remove(database, "checkout", full.limit)


def revocation(service: Service, person: PersonId) -> Envelope:
    key = PEOPLE[person].signing_key
    body = service.world.body(
        KeyRevocation, person, service.clock.now, key=key.public_key, reason=400 * "lost "
    )
    return service.world.signed(body, key)


def recorded(service: Service) -> set[str]:
    """What is on record, in a log whose tree and entries fit together."""
    with reading(service.world.database) as session:
        verify_log(session, service.world.agreement.id)
        found = ledger.entries(session, service.world.agreement.id, kinds=[Kind.KEY_REVOCATION])
    return {entry.statement_id for entry in found}


async def test_what_a_full_disk_refuses_is_acknowledged_once_there_is_room(
    service: Service, disk: Disk
) -> None:
    told: dict[PersonId, int] = {}
    for person in sorted(PEOPLE):  # the first may find room in pages that are there
        told[person] = (await service.post(ADDRESS, revocation(service, person), person)).status_code
        if told[person] == 503:
            break
    *kept, refused = told
    assert [told[person] for person in (*kept, refused)] == [*(201 for _ in kept), 503]
    wanted = revocation(service, refused)
    with capture_logs() as logs:
        answers = [await service.post(ADDRESS, wanted, refused) for _ in range(REPEATED)]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} == {"database-unavailable"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert len(logs) <= REPEATED
    assert not any(one.get("exc_info") for one in logs)
    assert recorded(service) == {statement_id(revocation(service, person)) for person in kept}
    disk.pages_max = 1_000_000
    answer = await service.post(ADDRESS, wanted, refused)
    assert (answer.status_code, answer.json()["statement"]) == (201, statement_id(wanted))
    assert statement_id(wanted) in recorded(service)
