"""Who is revoked is found without a look at what cannot matter, however many versions an agreement has."""

from pathlib import Path

from sqlalchemy import event

from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.cases import revocations
from tallystick.store.database.session import reading
from tallystick.store.registers import agreements
from tests.support.worlds.agreements import DORA, KIM, PEOPLE
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World
from tests.support.worlds.prepared_worlds import prepared_world

DORAS, KIMS = (PEOPLE[person].signing_key.public_key for person in (DORA, KIM))


def with_a_stolen_key(folder: Path, versions: int) -> World:
    world = prepared_world(folder, versions=versions)
    body = world.body(KeyRevocation, DORA, ACKNOWLEDGED, key=DORAS, reason="stolen")
    world.slip_in(world.signed(body, PEOPLE[DORA].signing_key), ACKNOWLEDGED)
    return world


def questions(world: World) -> int:
    """Ask whether two keys are revoked, as each request does, and count what the database is asked."""
    asked: list[str] = []
    event.listen(world.database, "before_cursor_execute", lambda *given: asked.append(str(given[2])))
    with reading(world.database) as session:
        newest = agreements.latest(session, world.agreement.id)
        assert newest is not None
        found = [
            revocations.is_revoked(session, world.agreement.id, key, newest.digest) for key in (DORAS, KIMS)
        ]
    assert found == [True, False]
    return len(asked)


def test_a_request_looks_at_no_older_version_of_an_agreement_with_a_revoked_key(tmp_path: Path) -> None:
    few = with_a_stolen_key(tmp_path / "few", versions=2)
    many = with_a_stolen_key(tmp_path / "many", versions=9)
    assert questions(few) == questions(many)


def test_one_look_at_all_keys_reads_the_revocations_once_where_no_version_lists_other_people(
    tmp_path: Path,
) -> None:
    world = with_a_stolen_key(tmp_path / "world", versions=5)
    asked: list[str] = []
    event.listen(world.database, "before_cursor_execute", lambda *given: asked.append(str(given[3])))
    with reading(world.database) as session:
        assert revocations.revoked_keys(session, world.agreement.id) == {DORAS}
    assert sum("key-revocation" in one for one in asked) == 2, "whether there are any, and what they say"


def test_a_filing_reads_no_version_but_later_ones(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "world", versions=6)
    with reading(world.database) as session:
        *_, before, last = agreements.versions(session, world.agreement.id)
    asked: list[str] = []
    event.listen(world.database, "before_cursor_execute", lambda *given: asked.append(str(given[3])))
    with reading(world.database) as session:
        later = revocations.later_versions(session, before)
    assert [one.version for one in later] == [last.version]
    assert sum("sha256:" in one for one in asked) == 1
