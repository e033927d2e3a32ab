"""Reading on from a kept case file gives the same as reading it anew, whatever was recorded."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from tallystick.domain.ids import PersonId
from tallystick.domain.statements.acts import Hold, Intake
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.cases.casefile import CaseFile, RecordUnreadableError
from tallystick.store.cases.kept import Cases
from tallystick.store.database.session import reading, transaction
from tallystick.store.database.tables import EntryRow
from tests.support.worlds.agreements import ANA, DIRK, DORA, KIM, PEOPLE, TOM, agreement, quorum
from tests.support.worlds.gate_worlds import FILED, World
from tests.support.worlds.groundwork import key_of
from tests.support.worlds.prepared_worlds import accepted, deposited, prepared_world


def read(cases: Cases, world: World) -> CaseFile:
    with reading(world.database) as session:
        return cases.load(session, world.agreement.id, world.claim)


def revoke(world: World, owner: PersonId, *by: PersonId) -> None:
    key, signers = PEOPLE[owner].signing_key, [PEOPLE[one].signing_key for one in by]
    body = world.body(KeyRevocation, by[0], FILED, key=key.public_key, reason="stolen")
    world.slip_in(world.signed(body, *signers), FILED)


def test_what_was_read_on_is_what_is_read_anew(tmp_path: Path) -> None:
    world, cases = prepared_world(tmp_path), Cases()
    revoke(world, DIRK, DIRK)
    world = world.file(deposited(world))
    powers = replace(world.agreement.authorities, revocation=quorum(DORA))
    newer = replace(world, agreement=agreement(version=2, supersedes=world.digest, authorities=powers))

    for happens in (
        lambda: None,
        lambda: world.say(Intake, ANA, FILED, accepted=True),
        lambda: revoke(newer, ANA, DORA),  # by a version that is not there yet
        newer.register,
        lambda: revoke(world, TOM, KIM, ANA),
        lambda: revoke(newer, TOM, DORA),
        lambda: world.say(Hold, KIM, FILED, reason="an injunction", stages=None),
        lambda: revoke(newer, KIM, DORA),
        lambda: world.notify(FILED + timedelta(hours=1)),
    ):
        happens()
        assert read(cases, world) == world.case()

    revoked = [one for one in (ANA, DIRK, KIM, TOM) if read(cases, world).claim.revoked_at(key_of(one))]
    assert revoked == [DIRK, KIM, TOM]


def test_an_altered_row_is_noticed_by_who_has_read_it_before(tmp_path: Path) -> None:
    world, cases = accepted(prepared_world(tmp_path)), Cases()
    before = read(cases, world)
    with transaction(world.database) as session:
        row = session.exec(select(EntryRow).where(col(EntryRow.index) == before.raw[1].index)).one()
        row.envelope = row.envelope.replace(b'"sig":"', b'"sig":"AAAA', 1)
        session.add(row)

    with pytest.raises(RecordUnreadableError):
        read(cases, world)


def test_a_record_that_was_cut_short_is_read_anew(tmp_path: Path) -> None:
    world, cases = accepted(prepared_world(tmp_path)), Cases()
    before = read(cases, world)
    with transaction(world.database) as session:
        row = session.exec(select(EntryRow).where(col(EntryRow.index) == before.raw[-1].index)).one()
        session.delete(row)

    assert read(cases, world) == world.case() != before
