"""Someone who can write the database alters every column of every table, and nothing is released.

The table of cases is the schema itself: a new column is attacked without a new line here.
Three claims are attacked: one under a hold, one whose window is not over, one settled.
"""

import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from tallystick.crypto import age
from tallystick.crypto.envelope import Envelope, body_of, sign
from tallystick.crypto.log.note import origin_of
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.acts import Approval, Hold
from tallystick.domain.statements.deposits import Deposit
from tallystick.proof.reading import read_signed
from tallystick.store.database.session import reading
from tallystick.store.ledger.checkpoints import LogSigner, verify_log
from tallystick.store.registers import deposits
from tests.support.worlds.agreements import (
    ANA,
    BEA,
    CRITICAL,
    DOCS,
    KIM,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
    TOM,
    signing_key,
)
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, READY, World
from tests.support.worlds.prepared_worlds import accepted, prepared_world, ready_world

pytestmark = pytest.mark.timeout(900)
IN_WINDOW: Final = ACKNOWLEDGED + timedelta(days=3)
EVERY_ROW: Final = bool(os.environ.get("FAULTS"))
"""Whether every value of every row is altered; else every column, in some of the rows."""
SPARSE: Final = 9
REPORTED: Final = (TallystickError, SQLAlchemyError, AssertionError)
"""How a reader says that the record is not what it must be."""
SOMETHING: Final = "sha256:" + 64 * "5"


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """One value of one row, altered behind the code's back."""

    table: str
    column: str
    row: int
    value: object

    def apply(self, world: World) -> None:
        with closing(sqlite3.connect(world.folder / "store.db")) as connection, connection:
            done = connection.execute(
                f'UPDATE OR IGNORE {self.table} SET "{self.column}" = ? WHERE rowid = ?',  # noqa: S608 - names of the schema
                (self.value, self.row),
            )
            assert done.rowcount >= 0


def alterations(world: World, table: str) -> Iterator[Alteration]:
    """For each row and column: another value of its type, the next row's value, and nothing."""
    with closing(sqlite3.connect(world.folder / "store.db")) as connection:
        columns = [column.name for column in SQLModel.metadata.tables[table].columns]
        names = ", ".join(f'"{name}"' for name in columns)
        rows = connection.execute(f"SELECT rowid, {names} FROM {table} ORDER BY rowid").fetchall()  # noqa: S608
    for place, (row, *values) in enumerate(rows):
        following = rows[(place + 1) % len(rows)][1:]
        for number, (column, value, other) in enumerate(zip(columns, values, following, strict=True)):
            for turn, forged in enumerate(dict.fromkeys((_altered(value), other))):
                if forged != value and (_always(column, turn) or (place + number + turn) % SPARSE == 0):
                    yield Alteration(table=table, column=column, row=row, value=forged)


def _always(column: str, turn: int) -> bool:
    """An entry filed under another claim is hidden from its own; every entry is tried."""
    return EVERY_ROW or (column == "claim" and turn == 0)


def _altered(value: object) -> object:
    match value:
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1]) if value else b"x"
        case int():
            return value + 1
        case str() if len(value) == len("2026-10-05T09:00:00Z") and value.endswith("Z"):
            return "2020-01-01T00:00:00Z"
        case str():
            return value[:-1] + ("0" if value[-1] != "0" else "1")
        case _:
            return SOMETHING


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """A world that is put back after each attack."""

    world: World
    kept: Path
    at: datetime

    def outcome(self, attack: Callable[[World], None]) -> str:
        """Return the gate's answer after `attack`: one word, or the code of its error."""
        world = self.restored()
        attack(world)
        before = world.stored_blobs()
        try:
            said: str = world.decide(world.gate(at=self.at)).outcome
        except REPORTED as error:
            said = type(error).__name__
        if said != "released":
            assert world.stored_blobs() == before, "something was given away"
        world.database.dispose()
        return said

    def restored(self) -> World:
        self.world.database.dispose()
        shutil.rmtree(self.world.folder)
        shutil.copytree(self.kept, self.world.folder)
        return replace(self.world)


def _attacked(folder: Path, world: World, at: datetime) -> Attacked:
    kept = folder / "kept"
    with closing(sqlite3.connect(world.folder / "store.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.database.dispose()
    shutil.copytree(world.folder, kept)
    return Attacked(world=replace(world), kept=kept, at=at)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("held")
    world = ready_world(folder / "world")
    world.say(Hold, KIM, READY - timedelta(minutes=30), reason="A court asks us to wait.")
    world.sign_checkpoint()
    return _attacked(folder, world, READY)


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("early")
    return _attacked(folder, ready_world(folder / "world"), IN_WINDOW)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("settled")
    world = ready_world(folder / "world")
    assert world.decide().outcome == "released"
    world.sign_checkpoint()
    return _attacked(folder, world, READY)


TABLES: Final = sorted(SQLModel.metadata.tables)


def test_every_table_of_the_schema_is_attacked() -> None:
    assert set(TABLES) >= {"ledger_entries", "logs", "checkpoints", "claims", "decisions", "deposits"}


@pytest.mark.parametrize("table", TABLES)
def test_no_altered_value_releases_a_claim_under_a_hold(held: Attacked, table: str) -> None:
    for attack in alterations(held.restored(), table):
        assert held.outcome(attack.apply) != "released", attack


@pytest.mark.parametrize("table", TABLES)
def test_no_altered_value_ends_a_window(early: Attacked, table: str) -> None:
    for attack in alterations(early.restored(), table):
        assert early.outcome(attack.apply) != "released", attack


@pytest.mark.parametrize("table", TABLES)
def test_an_altered_settled_claim_reads_as_before_or_is_reported(settled: Attacked, table: str) -> None:
    world = settled.restored()
    before = world.case().claim
    for attack in alterations(world, table):
        altered = settled.restored()
        attack.apply(altered)
        assert read_or_reported(altered) in {before, "reported"}, attack


@pytest.mark.parametrize("table", TABLES)
def test_an_altered_settled_stage_is_never_given_anything_new(settled: Attacked, table: str) -> None:
    before = settled.restored().stored_blobs()
    for attack in alterations(settled.restored(), table):
        settled.outcome(attack.apply)
        assert settled.world.stored_blobs() == before, attack


def read_or_reported(world: World) -> object:
    """The claim as read by anyone who checks the log, or a word that it cannot be read."""
    agreement = world.agreement
    signer = LogSigner(origin=origin_of(agreement.deployment, agreement.id), public_keys=[LOG_KEY.public_key])
    try:
        with reading(world.database) as session:
            verify_log(session, agreement.id, signer=signer)
        return world.case().claim
    except REPORTED:
        return "reported"
    finally:
        world.database.dispose()


# -------------------------------------------------------------------------- rows that are put in


def approval_by(world: World, signer: PersonId, **changes: Any) -> Envelope:  # noqa: ANN401 - any member of the body
    members: dict[str, object] = {
        "claim": world.claim,
        "stages": (CRITICAL,),
        "purpose": "release",
        "expires_at": READY + timedelta(days=5),
        "reason": "So it is.",
    }
    body = replace(world.body(Approval, signer, READY - timedelta(days=3), **members), **changes)
    return world.signed(body, PEOPLE[signer].signing_key)


@pytest.fixture(scope="module")
def two_short(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """A claim whose window is over, approved by one of three."""
    folder = tmp_path_factory.mktemp("short")
    world = accepted(prepared_world(folder / "world"))
    world.approve(ANA, READY - timedelta(days=3))
    world.settle(READY - timedelta(hours=1))
    world.sign_checkpoint()
    return _attacked(folder, world, READY)


def signed_by_an_outsider(world: World) -> list[Envelope]:
    stranger = signing_key("nobody of the agreement")
    return [sign("approval", body_of(approval_by(world, person)), [stranger]) for person in (KIM, TOM)]


def signed_by_the_log_key(world: World) -> list[Envelope]:
    return [sign("approval", body_of(approval_by(world, person)), [LOG_KEY]) for person in (KIM, TOM)]


def of_another_claim(world: World) -> list[Envelope]:
    return [approval_by(world, person, claim=SOMETHING) for person in (KIM, TOM)]


def of_another_deployment(world: World) -> list[Envelope]:
    return [approval_by(world, person, deployment="elsewhere") for person in (KIM, TOM)]


def of_another_agreement(world: World) -> list[Envelope]:
    return [approval_by(world, person, agreement_digest=SOMETHING) for person in (KIM, TOM)]


def of_the_claimant(world: World) -> list[Envelope]:
    return [approval_by(world, person) for person in (BEA, PersonId("ben@halden"))]


def of_one_person_again(world: World) -> list[Envelope]:
    return [approval_by(world, ANA), approval_by(world, ANA)]


def of_two_persons_where_one_counts(world: World) -> list[Envelope]:
    return [approval_by(world, PersonId("abe@harbour")), approval_by(world, ANA)]


def expired(world: World) -> list[Envelope]:
    return [approval_by(world, person, expires_at=READY - timedelta(days=1)) for person in (KIM, TOM)]


@pytest.mark.parametrize(
    "forge",
    [
        signed_by_an_outsider,
        signed_by_the_log_key,
        of_another_claim,
        of_another_deployment,
        of_another_agreement,
        of_the_claimant,
        of_one_person_again,
        of_two_persons_where_one_counts,
        expired,
    ],
)
def test_approvals_that_are_put_in_release_nothing(
    two_short: Attacked, forge: Callable[[World], list[Envelope]]
) -> None:
    def attack(world: World) -> None:
        for envelope in forge(world):
            world.slip_in(envelope, READY - timedelta(days=2))
        with closing(sqlite3.connect(world.folder / "store.db")) as connection, connection:
            connection.execute("UPDATE ledger_entries SET claim = ? WHERE kind = 'approval'", (world.claim,))
        world.sign_checkpoint()  # as if the worker had not looked

    try:
        said = two_short.outcome(attack)
    except TallystickError as error:
        said = error.code  # the log itself refuses to sign it
    assert said != "released"


def test_sound_approvals_release_the_same_claim(two_short: Attacked) -> None:
    """Only this differs from the attacks above; without it they would prove nothing."""

    def sound(world: World) -> None:
        for person in (KIM, TOM):
            world.slip_in(approval_by(world, person), READY - timedelta(hours=2))
        world.settle(READY - timedelta(hours=1))
        world.sign_checkpoint()

    assert two_short.outcome(sound) == "released"


# -------------------------------------------------------------------------- blobs


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("sound")
    return _attacked(folder, ready_world(folder / "world"), READY)


def sealed(world: World) -> tuple[list[Path], bytes]:
    """Where the licence keys lie, in every store, and the sealed bytes of another component."""
    with reading(world.database) as session:
        stored = deposits.by_digest(session, world.agreement.id, world.case().claim.filing.deposit)
        assert stored is not None
        body = read_signed(stored.entry.statement(), world.agreement).body
    assert isinstance(body, Deposit)
    digests = {part.component: part.sealed_digest for part in body.components}
    (other, _) = world.sealed_files(digests[DOCS])
    return world.sealed_files(digests[LICENCE_KEYS]), other.read_bytes()


def flipped(path: Path, _: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def swapped(path: Path, other: bytes) -> None:
    path.write_bytes(other)


def cut(path: Path, _: bytes) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path, _: bytes) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def emptied(path: Path, _: bytes) -> None:
    path.write_bytes(b"")


def removed(path: Path, _: bytes) -> None:
    path.unlink()


def sealed_anew(path: Path, _: bytes) -> None:
    """The same content for a recipient of the attacker's: as a stale copy of another sealing would be."""
    out = io.BytesIO()
    age.seal(io.BytesIO(b"what licence-keys is"), out, [PEOPLE[BEA].identity.recipient()])
    path.write_bytes(out.getvalue())


SPOILS: Final = (flipped, swapped, cut, longer, emptied, removed, sealed_anew)


@pytest.mark.parametrize("spoil", SPOILS)
def test_one_spoilt_copy_is_replaced_before_the_release(
    sound: Attacked, spoil: Callable[[Path, bytes], None]
) -> None:
    world = sound.restored()
    (first, second), other = sealed(world)
    good = first.read_bytes()
    spoil(second, other)
    assert world.decide(world.gate(at=READY)).outcome == "released"
    assert second.read_bytes() == good
    world.database.dispose()


@pytest.mark.parametrize("spoil", SPOILS)
def test_every_copy_spoilt_releases_nothing(sound: Attacked, spoil: Callable[[Path, bytes], None]) -> None:
    def attack(world: World) -> None:
        paths, other = sealed(world)
        for path in paths:
            spoil(path, other)

    assert sound.outcome(attack) == "refused"


# -------------------------------------------------------------------------- clocks


@pytest.mark.parametrize("jump", [timedelta(days=30), timedelta(days=3650)])
@pytest.mark.parametrize("whose", ["gate", "database"])
def test_no_jump_of_one_clock_ends_a_window(early: Attacked, whose: str, jump: timedelta) -> None:
    """The record says that the window is over, as a Temporal whose clock lies would have made it say."""
    world = early.restored()
    ahead, true = IN_WINDOW + jump, IN_WINDOW
    gate = world.gate(at=ahead if whose == "gate" else true, database_at=true if whose == "gate" else ahead)
    assert world.decide(gate).outcome == "refused"
    world.database.dispose()
