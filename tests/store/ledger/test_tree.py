"""The stored tree: the root and the proofs of every size are those of RFC 6962, and come from a few rows."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session

from tallystick.crypto.log.merkle import EMPTY_ROOT, LogRangeError, root_of, verify_consistency
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.crypto.log.proof import LogProof, log_proof_bytes, parse_log_proof, verify_log_proof
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import reading, transaction
from tallystick.store.database.tables import EntryRow
from tallystick.store.ledger.checkpoints import (
    LogSigner,
    checkpoints,
    sign_checkpoint,
    verify_log,
)
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import entries
from tallystick.store.ledger.tree import consistency_proof, inclusion_proofs, root_at
from tests.crypto.log.test_merkle import mth, path, subproof
from tests.store.ledger.test_ledger import change
from tests.support.worlds.agreements import signing_key
from tests.support.worlds.ledgers import DEPLOYMENT, LOG, OTHER_LOG, add, new_engine, said

LOG_KEY = signing_key("log")
ORIGIN = origin_of(DEPLOYMENT, LOG)
SIZE_MAX = 70


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Sequence[LedgerEntry]]:
    """A log of 70 entries; nobody changes it."""
    database = new_engine(tmp_path_factory.mktemp("grown"))
    with transaction(database) as session:
        return database, [add(session, said("event", number)) for number in range(SIZE_MAX)]


def signed_of(leaves: Sequence[bytes]) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=len(leaves), root=mth(leaves))


def test_the_root_of_every_size_is_that_of_the_whole_tree(grown: tuple[Engine, list[LedgerEntry]]) -> None:
    database, log = grown
    leaves = [entry.leaf() for entry in log]
    with reading(database) as session:
        for size in range(SIZE_MAX + 1):
            assert root_at(session, LOG, size) == mth(leaves[:size])
        assert root_at(session, OTHER_LOG, 0) == EMPTY_ROOT, "of a log that nobody began, too"


def test_every_inclusion_proof_of_every_size_is_that_of_the_whole_tree(
    grown: tuple[Engine, list[LedgerEntry]],
) -> None:
    database, log = grown
    leaves = [entry.leaf() for entry in log]
    with reading(database) as session:
        for size in range(1, SIZE_MAX + 1):
            proofs = inclusion_proofs(session, LOG, log[:size], signed_of(leaves[:size]))
            assert [list(proof) for proof in proofs] == [path(m, leaves[:size]) for m in range(size)]


def test_every_consistency_proof_of_every_two_sizes_is_that_of_the_whole_tree(
    grown: tuple[Engine, list[LedgerEntry]],
) -> None:
    database, log = grown
    leaves = [entry.leaf() for entry in log]
    with reading(database) as session:
        for new in range(SIZE_MAX + 1):
            for old in range(new + 1):
                expected = subproof(old, leaves[:new], known=True) if old else []
                assert list(consistency_proof(session, LOG, old, new)) == expected


@contextmanager
def rows_asked_for(database: Engine) -> Generator[list[int]]:
    """How many entries each statement asks for by their indices; one that asks otherwise fails."""
    asked = list[int]()

    def count(_: object, __: object, statement: str, parameters: Sequence[object], *___: object) -> None:
        if "ledger_entries" in statement:
            assert "IN (" in statement, "entries are asked for one by one"
            asked.append(len(parameters) - 1)

    event.listen(database, "before_cursor_execute", count)
    yield asked
    event.remove(database, "before_cursor_execute", count)


def test_what_a_proof_reads_grows_with_the_logarithm_of_the_log(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        log = [add(session, said("event", number)) for number in range(1023)]
        signed = Checkpoint(origin=ORIGIN, size=1023, root=root_of([entry.leaf() for entry in log]))
    with reading(sqlite_engine) as session, rows_asked_for(sqlite_engine) as asked:
        inclusion_proofs(session, LOG, [log[0]], signed)
        consistency_proof(session, LOG, 511, 1023)
        root_at(session, LOG, 513)
        root_at(session, LOG, 1023)
    assert len(asked) <= 4, "each asks once"
    assert max(asked) <= 20, "twice the logarithm of the size"


def test_all_entries_proofs_read_no_row_twice(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine) as session:
        log = [add(session, said("event", number)) for number in range(700)]
        signed = Checkpoint(origin=ORIGIN, size=700, root=root_of([entry.leaf() for entry in log]))
    with reading(sqlite_engine) as session, rows_asked_for(sqlite_engine) as asked:
        inclusion_proofs(session, LOG, log, signed)
    assert len(asked) == 2, "so many at a time that a database takes the question"
    assert sum(asked) <= 700


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(st.integers(1, 5), min_size=2, max_size=6))
def test_any_two_checkpoints_are_consistent_and_every_entry_is_in(
    make_engine: Callable[[], Engine], steps: list[int]
) -> None:
    database = make_engine()
    with transaction(database) as session:
        for turn, added in enumerate(steps):
            for number in range(added):
                add(session, said("event", 100 * turn + number))
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        notes = checkpoints(session, LOG)
        opened = [open_checkpoint(note, origin=ORIGIN, public_key=LOG_KEY.public_key) for note in notes]
        for older, newer in pairwise(opened):
            verify_consistency(
                old_size=older.size,
                new_size=newer.size,
                old_root=older.root,
                new_root=newer.root,
                proof=consistency_proof(session, LOG, older.size, newer.size),
            )
            assert root_at(session, LOG, older.size) == older.root
        assert len(inclusion_proofs(session, LOG, entries(session, LOG), opened[-1])) == sum(steps)
        verify_log(session, LOG, signer=LogSigner(origin=ORIGIN, public_keys=[LOG_KEY.public_key]))


def test_an_entry_is_proven_by_a_file_that_needs_no_database(database: Engine) -> None:
    with transaction(database) as session:
        entry = [add(session, said("event", number)) for number in range(5)][3]
        note = sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        signed = open_checkpoint(note, origin=ORIGIN, public_key=LOG_KEY.public_key)
        (path_up,) = inclusion_proofs(session, LOG, [entry], signed)
    proof = log_proof_bytes(LogProof(index=3, path=path_up, checkpoint=note, extra=entry.salt))
    assert verify_log_proof(
        parse_log_proof(proof), leaf=entry.leaf(), origin=ORIGIN, public_key=LOG_KEY.public_key
    )


@pytest.mark.parametrize("size", [3, -1])
def test_no_proof_in_a_log_that_never_had_that_size(database: Engine, size: int) -> None:
    with transaction(database) as session:
        entry = add(session, said("event", 1))
        add(session, said("event", 2))
        with pytest.raises(LogRangeError):
            inclusion_proofs(session, LOG, [entry], Checkpoint(origin=ORIGIN, size=size, root=bytes(32)))
        with pytest.raises(LogRangeError):
            consistency_proof(session, LOG, 1, size)
        with pytest.raises(LogRangeError):
            root_at(session, LOG, size)


def test_no_proof_of_an_entry_that_came_after_the_checkpoint(database: Engine) -> None:
    with transaction(database) as session:
        first, second = (add(session, said("event", number)) for number in range(2))
        with pytest.raises(LogRangeError):
            inclusion_proofs(session, LOG, [first, second], signed_of([first.leaf()]))


# What someone with access to the database could do. Entry 1 completes a tree of two, entry 3 of two and four.

DAMAGES = {
    "altered": 'UPDATE ledger_entries SET node_hashes = zeroblob(64) WHERE "index" = 1',
    "cut short": 'UPDATE ledger_entries SET node_hashes = substr(node_hashes, 1, 32) WHERE "index" = 1',
    "gone with its entry": 'DELETE FROM ledger_entries WHERE "index" = 1',
}


def six_entries(session: Session) -> list[LedgerEntry]:
    return [add(session, said("event", number)) for number in range(6)]


@pytest.mark.parametrize("done", DAMAGES)
def test_a_damaged_node_is_called_ours_by_every_proof_that_needs_it(database: Engine, done: str) -> None:
    with transaction(database) as session:
        log = six_entries(session)
        signed = signed_of([entry.leaf() for entry in log])
    change(database, DAMAGES[done])
    with reading(database) as session:
        with pytest.raises(LedgerCorruptError) as caught:
            inclusion_proofs(session, LOG, [log[2]], signed)
        assert caught.value.facts["index"] in {1, 2}
        with pytest.raises(LedgerCorruptError):
            root_at(session, LOG, 3)
        with pytest.raises(LedgerCorruptError) as caught:
            verify_log(session, LOG)
        assert caught.value.facts["index"] in {0, 1}
        inclusion_proofs(session, LOG, [log[5]], signed)  # what needs it not is proven all the same


def altered(hashes: bytes) -> bytes:
    return hashes[:32] + bytes(64)


def altered_at_the_top(hashes: bytes) -> bytes:
    return hashes[:64] + bytes(32)


def cut(hashes: bytes) -> bytes:
    return hashes[:64]


def lengthened(hashes: bytes) -> bytes:
    return hashes + bytes(32)


@pytest.mark.parametrize(
    ("changed", "first"), [(altered, 2), (altered_at_the_top, 0), (cut, 0), (lengthened, 0)]
)
def test_a_node_that_does_not_fit_its_leaves_is_found_and_never_signed(
    database: Engine, changed: Callable[[bytes], bytes], first: int
) -> None:
    with transaction(database) as session:
        six_entries(session)
    with transaction(database) as session:
        row = session.get_one(EntryRow, (LOG, 3))
        row.node_hashes = changed(row.node_hashes)
    with transaction(database) as session:
        with pytest.raises(LedgerCorruptError, match="match the stored tree") as caught:
            verify_log(session, LOG)
        assert caught.value.facts["index"] == first, "of the entries under the node"
        with pytest.raises(LedgerCorruptError, match="match the stored tree"):
            sign_checkpoint(session, LOG, LOG_KEY, ORIGIN)
        assert checkpoints(session, LOG) == []


def test_a_root_is_never_taken_from_nodes_that_the_log_as_it_stands_does_not_extend(database: Engine) -> None:
    with transaction(database) as session:
        six_entries(session)
    change(database, 'UPDATE ledger_entries SET node_hashes = zeroblob(96) WHERE "index" = 3')
    with reading(database) as session, pytest.raises(LedgerCorruptError, match="damaged"):
        root_at(session, LOG, 4)


def test_an_altered_entry_is_not_proven(database: Engine) -> None:
    with transaction(database) as session:
        log = six_entries(session)
        signed = signed_of([entry.leaf() for entry in log])
    change(database, 'UPDATE ledger_entries SET salt = zeroblob(32) WHERE "index" = 2')
    with reading(database) as session, pytest.raises(LedgerCorruptError) as caught:
        inclusion_proofs(session, LOG, entries(session, LOG), signed)
    assert caught.value.facts["index"] == 2
