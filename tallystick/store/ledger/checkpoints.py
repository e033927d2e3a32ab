"""Signing a log as it stands, and checking that the stored log still is what was signed.

Stored leaves are hashed again before they are signed: a log key must not vouch for
rows that were altered unseen. `verify_log` hashes everything.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Result, Row, Select
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log import note
from tallystick.crypto.log.leaf import SALT_SIZE_BYTES
from tallystick.crypto.log.merkle import HASH_SIZE_BYTES, Frontier
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, Digest, PublicKey, StageId
from tallystick.limits.logs import CHECKPOINTS_READ_MAX, LEDGER_PIECE_ENTRIES_MAX
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.tables import CheckpointRow, DecisionRow, EntryRow, LogRow
from tallystick.store.ledger.entry import COLUMNS, LedgerEntry, Stored, entry_of, names_of
from tallystick.store.ledger.ledger import frontier_of, stored_frontier

_ROWS_AT_A_TIME: Final = 1  # so that a row that cannot be read is known by its index

_Logged: TypeAlias = tuple[*Stored, bytes]
"""An entry's row, and the nodes of the tree that it completes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSigner:
    """Who must have signed a log's checkpoints: its origin, and the keys that it has had."""

    origin: str
    public_keys: Collection[PublicKey]


def sign_checkpoint(
    session: Session,
    agreement_id: AgreementId,
    log_key: SigningKey,
    origin: str,
    *,
    earlier_keys: Sequence[PublicKey] = (),
) -> bytes:
    """Return the log's checkpoint as it stands: a new signed note, or the last if nothing was added.

    The entries since the last checkpoint are hashed again before they are signed.
    `earlier_keys` are the log keys before this one: one of them may have signed the last checkpoint.

    Raises:
        LedgerCorruptError: The stored entries are not those that the log was built from, or the
            last checkpoint is not ours; nothing is signed.
    """
    signer = LogSigner(origin=origin, public_keys=(log_key.public_key, *earlier_keys))
    last = _latest(session, agreement_id)
    signed = Frontier() if last is None else _signed_frontier(last, signer)
    grown = _walk(_rows(session, agreement_id, signed.size), signed)
    _check_grown(session, agreement_id, grown, signed.size)
    if last is not None and last.size == grown.size:
        return last.note
    checkpoint = note.Checkpoint(origin=origin, size=grown.size, root=grown.root())
    made = note.sign_checkpoint(checkpoint, log_key)
    hashes = b"".join(grown.hashes)
    session.add(CheckpointRow(agreement_id=agreement_id, size=grown.size, note=made, frontier=hashes))
    session.flush()
    return made


def logs_to_sign(session: Session) -> list[AgreementId]:
    """Return the agreements whose logs have entries after their last checkpoint."""
    signed = select(func.max(col(CheckpointRow.size))).where(
        col(CheckpointRow.agreement_id) == col(LogRow.agreement_id)
    )
    grown = col(LogRow.size) > func.coalesce(signed.scalar_subquery(), 0)
    return [AgreementId(name) for name in session.exec(select(LogRow.agreement_id).where(grown))]


def latest_checkpoint(session: Session, agreement_id: AgreementId) -> bytes | None:
    """Return the newest signed checkpoint of the log, if one was signed."""
    last = _latest(session, agreement_id)
    return None if last is None else last.note


def signed_size(session: Session, agreement_id: AgreementId) -> int:
    """Return how many entries the newest signed checkpoint of the log covers."""
    last = _latest(session, agreement_id)
    return 0 if last is None else last.size


def checkpoints(session: Session, agreement_id: AgreementId) -> list[bytes]:
    """Return all signed checkpoints of the log, oldest first."""
    return [row.note for row in _checkpoint_rows(session, agreement_id)]


def verify_log(session: Session, agreement_id: AgreementId, *, signer: LogSigner | None = None) -> Frontier:
    """Hash the whole stored log again, and return its size and tree.

    Entries, the names they are found by, the tree, the decisions and the checkpoints
    must all agree; with a `signer`, the checkpoints' signatures must be good, too.

    Raises:
        LedgerCorruptError: They do not; `index` is the first bad entry, or the first of
            the entries among which the bad one is.
    """
    verified, whole = Frontier(), False
    while not whole:
        verified, whole = verify_next(session, agreement_id, verified, signer=signer)
    return verified


def verify_next(
    session: Session,
    agreement_id: AgreementId,
    verified: Frontier,
    *,
    signer: LogSigner | None = None,
    entries_max: int = LEDGER_PIECE_ENTRIES_MAX,
) -> tuple[Frontier, bool]:
    """Hash the next piece of the stored log again, as `verify_log` does: between two there may be a pause.

    Args:
        verified: The tree as far as it was verified before.
        entries_max: How many entries a piece has.

    Returns:
        The tree as far as it was verified now, and whether that is the whole log.

    Raises:
        LedgerCorruptError: As `verify_log`.
    """
    end = verified.size + entries_max
    for row in _checkpoint_rows(session, agreement_id, start=verified.size, end=end):
        verified = _walked_to(session, row, verified, signer)
    start = verified.size
    verified = _walk(_rows(session, agreement_id, start, end), verified)
    if verified.size == end:
        return verified, False
    for row in _checkpoint_rows(session, agreement_id, start=end + 1, end=None):
        _walked_to(session, row, verified, signer)  # of a log that was longer: it is refused
    _check_grown(session, agreement_id, verified, start)
    _check_decisions(session, agreement_id)
    return verified, True


def _walked_to(session: Session, row: CheckpointRow, before: Frontier, signer: LogSigner | None) -> Frontier:
    """Walk to a checkpoint, and compare the tree with the one that was signed."""
    rows = _rows(session, AgreementId(row.agreement_id), before.size, row.size)
    verified = _walk(rows, before)
    signed = _row_frontier(row) if signer is None else _signed_frontier(row, signer)
    if verified != signed:
        raise LedgerCorruptError("the entries do not match the checkpoint", index=before.size, size=row.size)
    return verified


def _walk(rows: Result[*_Logged], frontier: Frontier) -> Frontier:
    """Append the rows to `frontier`, each checked against what it was written from."""
    try:
        with rows:  # a cursor of the server's, on PostgreSQL
            for row in rows:
                frontier = frontier.append(_checked_leaf(row, frontier))
    except MalformedError as error:
        raise LedgerCorruptError("an entry is damaged", index=frontier.size) from error
    return frontier


def _checked_leaf(row: Row[*_Logged], before: Frontier) -> bytes:
    """Return the row's leaf hash, which its bytes make, and all the nodes that it completes are stored so."""
    own, node_hashes = row[:-1], row[-1]
    entry, index = entry_of(own), before.size
    if entry.index != index:
        raise LedgerCorruptError("an entry is missing", index=index)
    stored = (entry.envelope, entry.salt, node_hashes)
    if any(type(part) is not bytes for part in stored) or len(entry.salt) != SALT_SIZE_BYTES:
        raise LedgerCorruptError("an entry is damaged", index=index)
    leaf = entry.leaf()
    if leaf != node_hashes[:HASH_SIZE_BYTES]:
        raise LedgerCorruptError("an entry is not what was logged", index=index)
    _check_nodes(index, node_hashes, before.completed_by(leaf))
    _check_names(entry)
    return leaf


def _check_nodes(index: int, node_hashes: bytes, completed: Sequence[bytes]) -> None:
    if node_hashes == b"".join(completed):
        return
    stored = [node_hashes[: HASH_SIZE_BYTES * size] for size in range(1, len(completed) + 1)]
    good = sum(part == b"".join(completed[:size]) for size, part in enumerate(stored, 1))
    # The first wrong node is over 2**good entries, and this row's is the last of them.
    first = index + 1 - (1 << good)
    raise LedgerCorruptError("the entries do not match the stored tree", index=max(first, 0))


def _check_names(entry: LedgerEntry) -> None:
    try:
        names = names_of(entry.statement())
    except MalformedError as error:
        raise LedgerCorruptError("an entry contains no statement", index=entry.index) from error
    if (names.kind, names.statement_id, names.claim, names.cause) != (
        entry.kind,
        entry.statement_id,
        entry.claim,
        entry.cause,
    ):
        raise LedgerCorruptError(
            "an entry is stored under names that its statement does not have", index=entry.index
        )


def _check_grown(session: Session, agreement_id: AgreementId, actual: Frontier, start: int) -> None:
    try:
        expected = frontier_of(session, agreement_id)
    except LedgerCorruptError as error:
        raise LedgerCorruptError("the stored tree is damaged", index=start) from error
    if actual.size != expected.size:
        least = min(actual.size, expected.size)
        raise LedgerCorruptError("there are too few or too many entries", index=least, size=expected.size)
    if actual != expected:
        raise LedgerCorruptError("the entries do not match the stored tree", index=start, size=expected.size)


def _check_decisions(session: Session, agreement_id: AgreementId) -> None:
    rows = session.exec(select(DecisionRow).where(col(DecisionRow.agreement_id) == agreement_id))
    filed = {(row.claim, row.stage): row.entry_index for row in rows}
    query = _entries(agreement_id).where(col(EntryRow.kind) == "decision")
    decided: dict[tuple[Digest, StageId], int] = {}
    for entry in map(entry_of, session.connection().execute(query)):
        decision = names_of(entry.statement()).decision
        if decision is not None and decided.setdefault(decision, entry.index) != entry.index:
            raise LedgerCorruptError("a stage was decided twice", index=entry.index)
    if wrong := {*filed.items()} ^ {*decided.items()}:
        raise LedgerCorruptError("a decision's row does not match its entry", index=min(i for _, i in wrong))


def _signed_frontier(row: CheckpointRow, signer: LogSigner) -> Frontier:
    """Return the tree at a checkpoint, having verified that we signed its root."""
    frontier = _row_frontier(row)
    for public_key in signer.public_keys:
        try:
            checkpoint = note.open_checkpoint(row.note, origin=signer.origin, public_key=public_key)
        except (MalformedError, note.NoteSignatureError, note.OriginMismatchError):
            continue
        if (checkpoint.size, checkpoint.root) == (frontier.size, frontier.root()):
            return frontier
    raise LedgerCorruptError("a stored checkpoint was not signed by this log's keys", index=row.size)


def _row_frontier(row: CheckpointRow) -> Frontier:
    if type(row.note) is not bytes or type(row.frontier) is not bytes:  # SQLite stores what it is given
        raise LedgerCorruptError("a stored checkpoint is damaged", index=row.size)
    try:
        return stored_frontier(row.size, row.frontier)
    except LedgerCorruptError as error:
        raise LedgerCorruptError("a stored checkpoint is damaged", index=row.size) from error


def _latest(session: Session, agreement_id: AgreementId) -> CheckpointRow | None:
    query = select(CheckpointRow).where(col(CheckpointRow.agreement_id) == agreement_id)
    return session.exec(query.order_by(col(CheckpointRow.size).desc()).limit(1)).first()


def _checkpoint_rows(
    session: Session, agreement_id: AgreementId, *, start: int = 0, end: int | None = None
) -> Iterator[CheckpointRow]:
    """Yield the checkpoints of sizes from `start` up to `end`, page by page."""
    query = select(CheckpointRow).where(col(CheckpointRow.agreement_id) == agreement_id)
    if end is not None:
        query = query.where(col(CheckpointRow.size) <= end)
    query = query.order_by(col(CheckpointRow.size)).limit(CHECKPOINTS_READ_MAX)
    while rows := session.exec(query.where(col(CheckpointRow.size) >= start)).all():
        yield from rows
        start = rows[-1].size + 1


def _rows(
    session: Session, agreement_id: AgreementId, start: int, end: int | None = None
) -> Result[*_Logged]:
    query = _entries(agreement_id).add_columns(col(EntryRow.node_hashes)).where(col(EntryRow.index) >= start)
    if end is not None:
        query = query.where(col(EntryRow.index) < end)
    return session.connection().execute(query.execution_options(yield_per=_ROWS_AT_A_TIME))


def _entries(agreement_id: AgreementId) -> Select[*Stored]:
    query = columns(*COLUMNS).where(col(EntryRow.agreement_id) == agreement_id)
    return query.order_by(col(EntryRow.index))
