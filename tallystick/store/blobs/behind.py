"""Blobs of which a store has no good copy: noted with the blob, until every store has one.

A process that may not write a store leaves the copy there to the worker, and so does one that finds a store
away. The note is made with the blob, in one transaction; so nothing is forgotten, whatever is stopped.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import case, func
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import Select

from tallystick.domain.ids import Digest
from tallystick.limits.api import UPLOAD_LONG_BYTES_MIN
from tallystick.limits.documents import LIST_LENGTH_MAX
from tallystick.store.database.tables import BlobRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A blob of which a store has no good copy.

    Attributes:
        purpose: What it was sent for, or one of several such.
        since: When the first note of it was made.
        latest: When the last one was.
    """

    digest: Digest
    purpose: str
    since: datetime
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesBehind:
    """How many blobs lack a copy, and since when the first of them does; None if there is none."""

    blobs: int
    since: datetime | None


def behind(session: Session, *, long: bool) -> tuple[Behind, ...]:
    """Return what is behind: small ones first, and lost ones last; at most LIST_LENGTH_MAX.

    Args:
        long: Whether to return those that take so long that others could not wait for them, or the others.
    """
    size, lost = func.max(BlobRow.size_bytes), func.min(case((col(BlobRow.lost), 1), else_=0))
    query = (
        _noted()
        .having((size >= UPLOAD_LONG_BYTES_MIN) == long)
        .order_by(lost, size, col(BlobRow.digest))
        .limit(LIST_LENGTH_MAX)
    )
    return tuple(_behind(row) for row in session.exec(query))


def noted(session: Session, digest: Digest) -> Behind | None:
    """Return the note that a blob is behind; None if it is not."""
    row = session.exec(_noted().where(col(BlobRow.digest) == digest)).first()
    return None if row is None else _behind(row)


def note_behind(session: Session, digest: Digest, at: datetime, *, lost: bool) -> None:
    """Note that a store has no good copy, or that none has one, unless that is noted."""
    mine = col(BlobRow.digest) == digest, col(BlobRow.arrived_at).is_not(None)
    session.exec(update(BlobRow).where(*mine).values(lost=lost))
    session.exec(update(BlobRow).where(*mine, col(BlobRow.behind_since).is_(None)).values(behind_since=at))


def note_everywhere(session: Session, digest: Digest, seen_at: datetime) -> None:
    """Note that every store was seen to have a good copy; what was noted after `seen_at` stays."""
    stale = col(BlobRow.digest) == digest, col(BlobRow.behind_since) <= seen_at
    session.exec(update(BlobRow).where(*stale).values(behind_since=None, lost=False))


def count(session: Session) -> CopiesBehind:
    """Return how many blobs are behind; no copy is read."""
    query = select(func.count(func.distinct(BlobRow.digest)), func.min(BlobRow.behind_since)).where(
        col(BlobRow.behind_since).is_not(None)
    )
    blobs, since = session.exec(query).one()
    return CopiesBehind(blobs=blobs, since=since)


_Row: TypeAlias = tuple[str, str, datetime | None, datetime | None]


def _noted() -> "Select[str, str, datetime | None, datetime | None]":
    since = BlobRow.behind_since
    query = select(BlobRow.digest, func.max(BlobRow.purpose), func.min(since), func.max(since))
    return query.where(col(since).is_not(None)).group_by(col(BlobRow.digest))


def _behind(row: _Row) -> Behind:
    digest, purpose, since, latest = row
    assert since is not None, "only notes are asked for"
    assert latest is not None, "only notes are asked for"
    return Behind(digest=Digest(digest), purpose=purpose, since=since, latest=latest)
