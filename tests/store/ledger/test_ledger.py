"""One log for each agreement: entries are appended once and found by what was signed; changes are noticed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from weakref import WeakValueDictionary

import pytest
from sqlalchemy import Engine, event

from tallystick.crypto.envelope import SignatureNotRecordedError, cosign, statement_id
from tallystick.crypto.hints import SignatureUnnamedError
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.leaf import leaf_bytes
from tallystick.crypto.log.merkle import (
    EMPTY_ROOT,
    Frontier,
)
from tallystick.crypto.log.note import open_checkpoint, origin_of
from tallystick.domain.ids import DeploymentId, StageId
from tallystick.limits.logs import CHECKPOINTS_READ_MAX
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import database_now, reading, transaction
from tallystick.store.database.tables import CheckpointRow, LogRow
from tallystick.store.ledger.checkpoints import (
    LogSigner,
    checkpoints,
    latest_checkpoint,
    sign_checkpoint,
    verify_log,
    verify_next,
)
from tallystick.store.ledger.ledger import (
    DecisionExistsError,
    TooEarlyError,
    append,
    decision_entry,
    entries,
    entry_by_statement,
    frontier_of,
    named_entry,
)
from tallystick.store.registers import claims
from tests.support.worlds.agreements import signing_key
from tests.support.worlds.ledgers import AT, AUTHOR, DEPLOYMENT, LOG, OTHER_LOG, add, claim, decision, said

LOG_KEY = signing_key("log")
ORIGIN = origin_of(DEPLOYMENT, LOG)
STAGE = StageId("critical")


def change(database: Engine, statement: str) -> None:
    """Access to the database with foreign keys off, so that nothing stops an attacker."""
    with database.connect() as connection:
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("ROLLBACK")  # the setting is not taken within a transaction
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            return
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(as_postgresql(statement))
        connection.commit()


def as_postgresql(statement: str) -> str:
    """The same statement, with bytes as PostgreSQL spells them."""
    spelt = re.sub(r"X'([0-9A-F]*)'", r"'\\x\1'::bytea", statement)
    return re.sub(r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", spelt)


# Appending.


def test_indices_count_without_gaps_in_each_log(database: Engine) -> None:
    with transaction(database) as session:
        places = [add(session, said("event", number)).index for number in range(5)]
        other = add(session, said("event", 9), log=OTHER_LOG).index
    assert places == [0, 1, 2, 3, 4]
    assert other == 0


def test_what_was_appended_is_read_back_unchanged(database: Engine) -> None:
    with transaction(database) as session:
        written = add(session, said("event", 1), at=AT + timedelta(microseconds=7))
    with reading(database) as session:
        assert entries(session, LOG) == [written]
    assert written.accepted_at == AT
    assert written.statement() == said("event", 1)
    assert written.kind == "event"


def test_a_signature_that_is_not_recorded_is_not_acknowledged(database: Engine) -> None:
    alone = said("event", 1)
    both = cosign(alone, SigningKey(32 * b"2"))
    with transaction(database) as session:
        first = add(session, both)
        assert add(session, alone) == first, "fewer signatures lose none that is on record"
    third = cosign(both, SigningKey(32 * b"3"))
    with pytest.raises(SignatureNotRecordedError) as refused, transaction(database) as session:
        add(session, third)
    assert refused.value.facts == {"missing": 1, "recorded": 2}
    with reading(database) as session:
        assert entry_by_statement(session, LOG, statement_id(alone)) == first


def test_a_signature_that_names_no_key_is_not_recorded(database: Engine) -> None:
    unnamed = replace(said("event", 1).signatures[0], keyid=None)
    with pytest.raises(SignatureUnnamedError), transaction(database) as session:
        add(session, replace(said("event", 1), signatures=(unnamed,)))


def test_the_same_statement_again_is_one_act(database: Engine) -> None:
    with transaction(database) as session:
        first = add(session, said("event", 1))
    with transaction(database) as session:
        again = add(session, said("event", 1), at=AT + timedelta(days=1))
    assert first == again
    with reading(database) as session:
        assert frontier_of(session, LOG).size == 1


def test_the_same_statement_may_stand_in_two_logs(database: Engine) -> None:
    with transaction(database) as session:
        add(session, said("event", 1))
        add(session, said("event", 1), log=OTHER_LOG)
        assert [len(entries(session, log)) for log in (LOG, OTHER_LOG)] == [1, 1]


def test_a_leaf_commits_to_time_salt_and_envelope(database: Engine) -> None:
    with transaction(database) as session:
        first = add(session, said("event", 1))
        root = frontier_of(session, LOG).root()
    assert root == first.leaf()
    assert len(first.salt) == 32
    leaf = leaf_bytes(accepted_at=first.accepted_at, envelope=first.envelope, salt=first.salt)
    assert leaf.startswith(b'{"at":"2026-11-24T09:00:00Z","digest":"sha256:')
    assert leaf.endswith(b'","v":1}')


def test_equal_statements_in_two_logs_have_leaves_that_cannot_be_linked(database: Engine) -> None:
    with transaction(database) as session:
        leaves = {add(session, said("event", 1), log=log).leaf() for log in (LOG, OTHER_LOG)}
    assert len(leaves) == 2


def test_entry_and_tree_are_undone_together(database: Engine) -> None:
    def fail_after_appending() -> None:
        with transaction(database) as session:
            add(session, said("event", 1))
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_appending()
    with reading(database) as session:
        assert entries(session, LOG) == []
        assert frontier_of(session, LOG) == Frontier()


def test_an_entry_is_filed_only_under_the_claim_that_it_names(database: Engine) -> None:
    mine, other = statement_id(claim(1)), statement_id(claim(2))
    with (
        transaction(database) as session,
        pytest.raises(AssertionError, match="the claim that its statement names"),
    ):
        append(session, LOG, said("approval", 1, claim=mine), AT, claim=other)
    with (
        transaction(database) as session,
        pytest.raises(AssertionError, match="the claim that its statement names"),
    ):
        append(session, LOG, said("approval", 1, claim=mine), AT, claim=None)


# Time.


def test_an_entry_that_comes_too_early_by_the_databases_clock_is_refused(database: Engine) -> None:
    with transaction(database) as session:
        later = database_now(session) + timedelta(hours=1)
        with pytest.raises(TooEarlyError) as caught:
            append(session, LOG, said("event", 1), AT, claim=None, not_before=later)
        assert entries(session, LOG) == []
    assert caught.value.retryable


def test_an_entry_is_taken_from_the_very_second_on(database: Engine) -> None:
    with transaction(database) as session:
        now = database_now(session)
        assert append(session, LOG, said("event", 1), AT, claim=None, not_before=now).index == 0


# Finding.


def test_entries_are_found_by_claim_kind_and_place(database: Engine) -> None:
    with transaction(database) as session:
        mine = claims.file(session, claim(1), AT).digest
        other = claims.file(session, claim(2), AT).digest
        add(session, said("approval", 3, claim=mine))
        add(session, said("key-revocation", 4))
        add(session, said("approval", 5, claim=other))
    with reading(database) as session:

        def places(**wanted: object) -> list[int]:
            return [entry.index for entry in entries(session, LOG, **wanted)]  # type: ignore[arg-type]

        assert places() == [0, 1, 2, 3, 4]
        assert places(claim=mine) == [0, 2]
        assert places(kinds=["approval"]) == [2, 4]
        assert places(kinds=[]) == []
        assert places(claim=other, kinds=["approval", "denial"]) == [4]
        assert places(after=2) == [3, 4]
        assert places(after=0, limit=2) == [1, 2]


def test_an_entry_is_found_by_its_statement_in_its_own_log_only(database: Engine) -> None:
    with transaction(database) as session:
        written = add(session, said("event", 1))
        assert entry_by_statement(session, LOG, written.statement_id) == written
        assert entry_by_statement(session, OTHER_LOG, written.statement_id) is None


# Decisions.


def test_a_second_decision_on_a_stage_is_refused_and_shows_the_first(database: Engine) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(1), AT).digest
        first = add(session, decision(filed, STAGE, 1))
    with transaction(database) as session:
        with pytest.raises(DecisionExistsError) as caught:
            add(session, decision(filed, STAGE, 2))
        assert add(session, decision(filed, STAGE, 1)) == first
    assert caught.value.entry == first
    with reading(database) as session:
        assert decision_entry(session, filed, STAGE) == first
        assert decision_entry(session, filed, StageId("other")) is None
        assert frontier_of(session, LOG).size == 2


def test_another_stage_and_another_claim_are_decided_on_their_own(database: Engine) -> None:
    with transaction(database) as session:
        one, two = (claims.file(session, claim(number), AT).digest for number in (1, 2))
        places = [
            add(session, decision(one, "first", 1)).index,
            add(session, decision(one, "second", 2)).index,
            add(session, decision(two, "first", 3)).index,
        ]
    assert places == [2, 3, 4]


def test_a_refusal_by_the_gate_does_not_use_up_the_decision(database: Engine) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(1), AT).digest
        add(session, decision(filed, STAGE, 1, released=False))
        assert decision_entry(session, filed, STAGE) is None
        released = add(session, decision(filed, STAGE, 2))
        assert decision_entry(session, filed, STAGE) == released


def test_a_decision_cannot_be_appended_as_if_it_decided_nothing(database: Engine) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(1), AT).digest
        with pytest.raises(AssertionError, match="decides what its statement decides"):
            append(session, LOG, decision(filed, STAGE, 1), AT, claim=filed)


# Checkpoints and proofs.


def test_a_checkpoint_is_a_signed_note_of_the_log_as_it_stands(database: Engine) -> None:
    with transaction(database) as session:
        for number in range(3):
            add(session, said("event", number))
        note = sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        root = frontier_of(session, LOG).root()
    opened = open_checkpoint(note, origin="test/nordwind-halden", public_key=LOG_KEY.public_key)
    assert (opened.size, opened.root) == (3, root)
    with reading(database) as session:
        assert latest_checkpoint(session, LOG) == note
        assert latest_checkpoint(session, OTHER_LOG) is None


def test_an_empty_log_has_a_checkpoint_too(database: Engine) -> None:
    with transaction(database) as session:
        add(session, said("event", 1), log=OTHER_LOG)
    with reading(database) as session:
        note = sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
    assert open_checkpoint(note, origin=ORIGIN, public_key=LOG_KEY.public_key).root == EMPTY_ROOT


def test_nothing_new_means_no_new_checkpoint(database: Engine) -> None:
    with transaction(database) as session:
        add(session, said("event", 1))
        first = sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        assert sign_checkpoint(session, LOG, LOG_KEY, ORIGIN) == first
        assert checkpoints(session, LOG) == [first]


def test_a_new_log_key_continues_from_a_checkpoint_by_the_earlier_one(database: Engine) -> None:
    new_key = signing_key("next log")
    with transaction(database) as session:
        add(session, said("event", 1))
        sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        add(session, said("event", 2))
        with pytest.raises(LedgerCorruptError):
            sign_checkpoint(session, LOG, new_key, ORIGIN)
        note = sign_checkpoint(session, LOG, new_key, ORIGIN, earlier_keys=[LOG_KEY.public_key])
    assert open_checkpoint(note, origin=ORIGIN, public_key=new_key.public_key).size == 2


# What someone with access to the database could do.

CHANGES = {
    # what happens to entry 3 of 8; checkpoints cover the first 2 and the first 5
    "envelope altered": "UPDATE ledger_entries SET envelope = X'7B7D' WHERE \"index\" = 3",
    "envelope of another entry": (
        'UPDATE ledger_entries SET envelope = (SELECT envelope FROM ledger_entries WHERE "index" = 4)'
        ' WHERE "index" = 3'
    ),
    "envelope no bytes": "UPDATE ledger_entries SET envelope = 'text' WHERE \"index\" = 3",
    "time moved": "UPDATE ledger_entries SET accepted_at = '2026-11-24T08:59:59Z' WHERE \"index\" = 3",
    "time malformed": "UPDATE ledger_entries SET accepted_at = 'yesterday' WHERE \"index\" = 3",
    "salt altered": 'UPDATE ledger_entries SET salt = zeroblob(32) WHERE "index" = 3',
    "salt shortened": "UPDATE ledger_entries SET salt = X'00' WHERE \"index\" = 3",
    "leaf altered": 'UPDATE ledger_entries SET node_hashes = zeroblob(96) WHERE "index" = 3',
    "nodes of another entry": (
        'UPDATE ledger_entries SET node_hashes = (SELECT node_hashes FROM ledger_entries WHERE "index" = 7)'
        ' WHERE "index" = 3'
    ),
    "kind altered": "UPDATE ledger_entries SET kind = 'denial' WHERE \"index\" = 3",
    "hidden from its claim": 'UPDATE ledger_entries SET claim = NULL WHERE "index" = 3',
    "cause altered": "UPDATE ledger_entries SET cause = 'sha256:x' WHERE \"index\" = 3",
    "statement altered": "UPDATE ledger_entries SET statement_id = 'sha256:x' WHERE \"index\" = 3",
    "deleted": 'DELETE FROM ledger_entries WHERE "index" = 3',
    "moved away": 'UPDATE ledger_entries SET "index" = 30 WHERE "index" = 3',
    "moved to another log": "UPDATE ledger_entries SET agreement_id = 'another' WHERE \"index\" = 3",
}


def eight_entries(database: Engine) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(0), AT).digest
        for number in range(1, 8):
            if number in {2, 5}:
                sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
            add(session, said("approval", number, claim=filed))


@pytest.mark.parametrize("done", CHANGES)
def test_any_change_to_a_stored_entry_is_noticed_and_named(database: Engine, done: str) -> None:
    eight_entries(database)
    change(database, CHANGES[done])
    with reading(database) as session, pytest.raises(LedgerCorruptError) as caught:
        verify_log(session, LOG)
    assert caught.value.facts["index"] == 3


def test_a_row_that_names_a_statement_nobody_recorded_is_damage(database: Engine) -> None:
    with transaction(database) as session:
        entry = add(session, said("event", 1))
        assert named_entry(session, LOG, entry.statement_id) == entry
        with pytest.raises(LedgerCorruptError, match="not on record"):
            named_entry(session, OTHER_LOG, entry.statement_id)


@pytest.mark.parametrize("done", CHANGES)
def test_a_changed_entry_is_never_signed(database: Engine, done: str) -> None:
    eight_entries(database)
    change(database, CHANGES[done].replace('"index" = 3', '"index" = 6'))
    with transaction(database) as session:
        with pytest.raises(LedgerCorruptError) as caught:
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        assert len(checkpoints(session, LOG)) == 2
    assert caught.value.facts["index"] == 6


@pytest.mark.parametrize(
    ("done", "index"),
    [
        ('DELETE FROM ledger_entries WHERE "index" = 7', 7),
        ("UPDATE logs SET size = 7", 5),  # not a tree
        ("UPDATE logs SET frontier = zeroblob(32)", 5),
        ("DELETE FROM logs", 0),
        ("UPDATE checkpoints SET frontier = zeroblob(64) WHERE size = 5", 2),
        ("UPDATE checkpoints SET frontier = X'00' WHERE size = 5", 5),
    ],
)
def test_a_damaged_tree_is_noticed(database: Engine, done: str, index: int) -> None:
    eight_entries(database)
    change(database, done)
    with reading(database) as session, pytest.raises(LedgerCorruptError) as caught:
        verify_log(session, LOG)
    assert caught.value.facts["index"] == index


def test_a_forged_entry_with_a_fitting_leaf_does_not_fit_the_tree(database: Engine) -> None:
    eight_entries(database)
    with transaction(database) as session:
        forged = add(session, said("approval", 99), log=OTHER_LOG)
    change(database, 'DELETE FROM ledger_entries WHERE "index" = 6')
    change(database, "UPDATE ledger_entries SET \"index\" = 6 WHERE agreement_id = 'another-agreement'")
    change(database, "UPDATE ledger_entries SET agreement_id = 'nordwind-halden'")
    with reading(database) as session:
        assert entry_by_statement(session, LOG, forged.statement_id) is not None
    with reading(database) as session, pytest.raises(LedgerCorruptError, match="stored tree") as caught:
        verify_log(session, LOG)
    assert caught.value.facts["index"] == 6, "the first of the entries under the node that does not fit"
    with transaction(database) as session, pytest.raises(LedgerCorruptError, match="stored tree"):
        sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)


def test_a_whole_rewritten_log_is_not_signed_because_its_checkpoint_is_not_ours(database: Engine) -> None:
    eight_entries(database)
    with transaction(database) as session:
        for number in range(5):  # entries, tree and frontier all fit each other
            add(session, said("approval", 50 + number), log=OTHER_LOG)
        sign_checkpoint(session, OTHER_LOG, AUTHOR, ORIGIN)
    for table in ("ledger_entries", "logs", "checkpoints"):
        change(database, f"DELETE FROM {table} WHERE agreement_id = '{LOG}'")  # noqa: S608 - our own names
        change(database, f"UPDATE {table} SET agreement_id = '{LOG}'")  # noqa: S608 - our own names
    change(database, "DELETE FROM claims")
    signer = LogSigner(origin=ORIGIN, public_keys=[LOG_KEY.public_key])
    with transaction(database) as session:
        assert verify_log(session, LOG).size == 5, "without the key, it cannot be told apart"
        with pytest.raises(LedgerCorruptError, match="was not signed by this log's keys"):
            verify_log(session, LOG, signer=signer)
        with pytest.raises(LedgerCorruptError, match="was not signed by this log's keys"):
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)


def test_a_log_set_back_behind_its_checkpoint_is_noticed(database: Engine) -> None:
    with transaction(database) as session:
        for number in range(2):
            add(session, said("event", number))
        before = frontier_of(session, LOG)
        for number in range(2, 5):
            add(session, said("event", number))
        sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
    change(database, 'DELETE FROM ledger_entries WHERE "index" >= 2')
    with transaction(database) as session:
        log = session.get_one(LogRow, LOG)
        log.size, log.frontier = before.size, b"".join(before.hashes)
    with transaction(database) as session:
        with pytest.raises(LedgerCorruptError):
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        with pytest.raises(LedgerCorruptError):
            verify_log(session, LOG)


def test_a_forged_beginning_is_not_signed_although_log_and_checkpoint_fit_it(database: Engine) -> None:
    eight_entries(database)
    with transaction(database) as session:
        beginning = forged = reduce(Frontier.append, [bytes(32)] * 5, Frontier())
        for entry in entries(session, LOG, after=4):
            forged = forged.append(entry.leaf())
        session.get_one(CheckpointRow, (LOG, 5)).frontier = b"".join(beginning.hashes)
        session.get_one(LogRow, LOG).frontier = b"".join(forged.hashes)
    with transaction(database) as session:
        with pytest.raises(LedgerCorruptError, match="was not signed by this log's keys") as caught:
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        assert len(checkpoints(session, LOG)) == 2
    assert caught.value.facts["index"] == 5


@pytest.mark.parametrize(
    "done",
    [
        "DELETE FROM decisions",
        "UPDATE decisions SET stage = 'another'",
        "UPDATE decisions SET entry_index = 0",
        "UPDATE decisions SET agreement_id = 'another-agreement'",
        "INSERT INTO decisions SELECT claim, 'invented', agreement_id, 0 FROM decisions",
    ],
)
def test_a_decision_that_is_filed_otherwise_than_it_was_made_is_noticed(database: Engine, done: str) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(1), AT).digest
        add(session, decision(filed, STAGE, 1))
        verify_log(session, LOG)
    change(database, done)
    with reading(database) as session, pytest.raises(LedgerCorruptError, match="decision"):
        verify_log(session, LOG)


def test_an_origin_names_deployment_and_agreement() -> None:
    assert origin_of(DeploymentId("prod"), LOG) == "prod/nordwind-halden"


def test_times_are_stored_in_utc(database: Engine) -> None:
    berlin = datetime.fromisoformat("2026-11-24T10:00:00+01:00")
    with transaction(database) as session:
        assert add(session, said("event", 1), at=berlin).accepted_at == AT
        accepted_at = entries(session, LOG)[0].accepted_at
    assert accepted_at.tzinfo is UTC
    assert canonical_bytes({"at": accepted_at.isoformat()}) == b'{"at":"2026-11-24T09:00:00+00:00"}'


@pytest.mark.parametrize("entries_max", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("done", CHANGES)
def test_a_log_that_is_hashed_in_pieces_is_hashed_whole(
    database: Engine, done: str, entries_max: int
) -> None:
    eight_entries(database)
    with reading(database) as session:
        whole = verify_log(session, LOG)
    assert pieces(database, entries_max) == whole
    change(database, CHANGES[done])
    with pytest.raises(LedgerCorruptError) as caught:
        pieces(database, entries_max)
    assert caught.value.facts["index"] == 3


@pytest.mark.parametrize("entries_max", [1, 2, 4, 8])
def test_a_log_that_is_shorter_than_its_checkpoint_is_noticed_in_pieces(
    database: Engine, entries_max: int
) -> None:
    eight_entries(database)
    with transaction(database) as session:
        sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        short = reduce(Frontier.append, [entry.leaf() for entry in entries(session, LOG)[:6]], Frontier())
        log = session.get_one(LogRow, LOG)
        log.size, log.frontier = short.size, b"".join(short.hashes)
    change(database, 'DELETE FROM ledger_entries WHERE "index" >= 6')
    with pytest.raises(LedgerCorruptError, match="do not match the checkpoint"):
        pieces(database, entries_max)


def pieces(database: Engine, entries_max: int) -> Frontier:
    """Hash the log in pieces, each in a transaction of its own, none of which is longer than asked for."""
    verified, whole = Frontier(), False
    while not whole:
        before = verified.size
        with reading(database) as session:
            verified, whole = verify_next(session, LOG, verified, entries_max=entries_max)
        assert verified.size - before <= entries_max
    return verified


def test_checkpoints_are_read_page_by_page(database: Engine) -> None:
    with transaction(database) as session:
        for number in range(3 * CHECKPOINTS_READ_MAX):
            add(session, said("event", number))
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
    held, most = WeakValueDictionary[int, CheckpointRow](), 0

    def loaded(row: CheckpointRow, _: object) -> None:
        nonlocal most
        held[row.size] = row
        most = max(most, len(held))

    event.listen(CheckpointRow, "load", loaded)
    try:
        with reading(database) as session:
            assert verify_log(session, LOG).size == 3 * CHECKPOINTS_READ_MAX
    finally:
        event.remove(CheckpointRow, "load", loaded)
    assert 0 < most <= 2 * CHECKPOINTS_READ_MAX
