"""The log's Merkle tree as it is stored: roots and proofs at any size, each from a few rows.

Each entry's row has the roots of the perfect subtrees that it completes (`node_hashes`). From them come the
root of any size that the log ever had (`root_at`, `roots_at`), the proof that an entry is in it
(`inclusion_proofs`) and that it only grew (`consistency_proof`): O(log n) rows for each, read at once.
`verify_log` hashes them again.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from sqlmodel import Session, col, select

from tallystick.crypto.log.merkle import (
    HASH_SIZE_BYTES,
    ConsistencyInvalidError,
    Frontier,
    InclusionInvalidError,
    LogRangeError,
    Run,
    Subtree,
    consistency_runs,
    inclusion_runs,
    root_over,
    run_of,
    verify_consistency,
    verify_inclusion,
)
from tallystick.crypto.log.note import Checkpoint
from tallystick.domain.ids import AgreementId
from tallystick.limits.logs import LEDGER_NODES_READ_MAX
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.tables import EntryRow
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import frontier_of


def root_at(session: Session, agreement_id: AgreementId, size: int) -> bytes:
    """Return the 32-byte root that the log had at `size` entries; the log as it stands extends it.

    So a root that somebody saw and that differs from this one was never this log's.

    Raises:
        LogRangeError: The log never had that size.
        LedgerCorruptError: The stored tree is damaged.
    """
    now = frontier_of(session, agreement_id)
    _check_reached(size, now.size)
    runs = _root_runs(size, now)
    return _root_found(size, now, runs, _stored(session, agreement_id, runs))


def roots_at(session: Session, agreement_id: AgreementId, sizes: Collection[int]) -> Mapping[int, bytes]:
    """Return the root at each of some sizes, as `root_at` does, by a few questions to the database.

    A size that the log never had is left out, and so is one at which the stored tree is damaged.
    """
    now = frontier_of(session, agreement_id)
    wanted = {size: _root_runs(size, now) for size in sizes if 0 <= size <= now.size}
    hashes = _stored(session, agreement_id, [run for runs in wanted.values() for run in runs])
    found: dict[int, bytes] = {}
    for size, runs in wanted.items():
        with suppress(LedgerCorruptError):
            found[size] = _root_found(size, now, runs, hashes)
    return found


def _root_runs(size: int, now: Frontier) -> list[Run]:
    """Return the run of the root at `size`, and those that show that the log as it stands extends it."""
    return [run_of(0, size), *consistency_runs(size, now.size)]


def _root_found(size: int, now: Frontier, runs: Sequence[Run], hashes: Mapping[int, bytes]) -> bytes:
    root, *proof = (_root(run, hashes) for run in runs)
    try:
        verify_consistency(old_size=size, new_size=now.size, old_root=root, new_root=now.root(), proof=proof)
    except ConsistencyInvalidError as error:
        raise LedgerCorruptError("the stored tree is damaged", index=size) from error
    return root


def inclusion_proofs(
    session: Session, agreement_id: AgreementId, entries: Sequence[LedgerEntry], checkpoint: Checkpoint
) -> list[tuple[bytes, ...]]:
    """Return each entry's path to the root of a signed checkpoint of its log (RFC 6962 section 2.1.1).

    Raises:
        LogRangeError: The checkpoint does not cover an entry, or the log never had its size.
        LedgerCorruptError: A path does not lead from the entry to the signed root; `index` is the entry's.
    """
    _check_reached(checkpoint.size, frontier_of(session, agreement_id).size)
    paths = [inclusion_runs(entry.index, checkpoint.size) for entry in entries]
    hashes = _stored(session, agreement_id, [run for path in paths for run in path])
    proofs = [tuple(_root(run, hashes) for run in path) for path in paths]
    for entry, proof in zip(entries, proofs, strict=True):
        _check_leads(entry, proof, checkpoint)
    return proofs


def consistency_proof(
    session: Session, agreement_id: AgreementId, old_size: int, new_size: int
) -> tuple[bytes, ...]:
    """Return the proof that the log of `new_size` begins with that of `old_size` (RFC 6962 section 2.1.2).

    Raises:
        LogRangeError: The log never had one of these sizes.
        LedgerCorruptError: The stored tree is damaged.
    """
    return consistency_proofs(session, agreement_id, [old_size], new_size)[old_size]


def consistency_proofs(
    session: Session, agreement_id: AgreementId, old_sizes: Collection[int], new_size: int
) -> Mapping[int, tuple[bytes, ...]]:
    """Return the proof for each of some earlier sizes, as `consistency_proof` does, by a few questions.

    Raises:
        LogRangeError: The log never had one of these sizes.
        LedgerCorruptError: The stored tree is damaged.
    """
    _check_reached(new_size, frontier_of(session, agreement_id).size)
    wanted = {size: consistency_runs(size, new_size) for size in old_sizes}
    hashes = _stored(session, agreement_id, [run for runs in wanted.values() for run in runs])
    return {size: tuple(_root(run, hashes) for run in runs) for size, runs in wanted.items()}


def _check_reached(size: int, now: int) -> None:
    if not 0 <= size <= now:
        raise LogRangeError("the log never had this size", size=size, found=now)


def _check_leads(entry: LedgerEntry, proof: Sequence[bytes], checkpoint: Checkpoint) -> None:
    try:
        verify_inclusion(
            leaf=entry.leaf(), index=entry.index, size=checkpoint.size, proof=proof, root=checkpoint.root
        )
    except InclusionInvalidError as error:
        raise LedgerCorruptError(
            "the entry or the stored tree is not what was signed", index=entry.index, size=checkpoint.size
        ) from error


def _root(run: Run, hashes: Mapping[int, bytes]) -> bytes:
    return root_over([_node(subtree, hashes) for subtree in run])


def _node(subtree: Subtree, hashes: Mapping[int, bytes]) -> bytes:
    start = subtree.level * HASH_SIZE_BYTES
    stored = hashes.get(subtree.last)
    node = stored[start : start + HASH_SIZE_BYTES] if isinstance(stored, bytes) else b""
    if len(node) != HASH_SIZE_BYTES:
        raise LedgerCorruptError("a node of the stored tree is missing", index=subtree.last)
    return node


def _stored(session: Session, agreement_id: AgreementId, runs: Sequence[Run]) -> Mapping[int, bytes]:
    """Return the `node_hashes` of the entries that completed these subtrees, by their indices."""
    wanted = sorted({subtree.last for run in runs for subtree in run})
    query = select(EntryRow.index, EntryRow.node_hashes).where(col(EntryRow.agreement_id) == agreement_id)
    asked = [wanted[at : at + LEDGER_NODES_READ_MAX] for at in range(0, len(wanted), LEDGER_NODES_READ_MAX)]
    return {
        index: hashes
        for some in asked
        for index, hashes in session.exec(query.where(col(EntryRow.index).in_(some)))
    }
