"""The tables: the ledger's entries, and the rows by which they are found.

Every signed statement is stored once, in `ledger_entries`. The other rows say only
*where*: they point to entries by foreign keys that are checked at commit, so that no
row exists without its leaf. They copy nothing from an entry but the names it is found
by, and `verify_log` compares those names with the signed bytes.
"""

# pyright: reportAssignmentType=false
# SQLModel declares `__tablename__` twice, and pyright believes the declared_attr; mypy checks the rest.

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    Engine,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from tallystick.domain.codec import instant, instant_text
from tallystick.domain.errors import TallystickError
from tallystick.limits.documents import NAME_LENGTH_MAX, PERSON_ID_LENGTH_MAX
from tallystick.limits.storage import IDEMPOTENCY_KEY_LENGTH_MAX
from tallystick.store.database import migrate
from tallystick.store.database.session import ValueDamagedError, transaction

_DIGEST_LENGTH: Final = 71  # "sha256:" and 64 digits
_PUBLIC_KEY_LENGTH: Final = 72  # "ed25519:" and 64 digits
_KIND_LENGTH: Final = 63
_INSTANT_LENGTH: Final = 20
_ROUTE_LENGTH: Final = 256
_CLAIM_ID_LENGTH: Final = 20  # "clm-" and 16 letters


_STATEMENT: Final = ("ledger_entries.agreement_id", "ledger_entries.statement_id")


def _points(*columns: str, to: str | tuple[str, ...]) -> ForeignKeyConstraint:
    """Return a foreign key that is checked at commit: rows of one transaction come in any order."""
    targets = (to,) if isinstance(to, str) else to
    return ForeignKeyConstraint(columns, targets, deferrable=True, initially="DEFERRED")


class InstantText(TypeDecorator[datetime]):
    """A moment as RFC 3339 text in UTC, whole seconds: spelt alike on every database, and sorts by time."""

    impl = String(_INSTANT_LENGTH)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return what is stored."""
        del dialect
        return None if value is None else instant_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Return the aware moment that is stored; if none is, our database is damaged."""
        del dialect
        try:
            return None if value is None else instant(value)
        except (TallystickError, TypeError) as error:  # SQLite keeps a value of any type in any column
            raise ValueDamagedError("a stored time is damaged") from error

    def coerce_compared_value(self, op: object, value: object) -> TypeEngine[datetime]:
        """Compare moments as the text they are stored as."""
        del op, value
        return self


class EntryRow(SQLModel, table=True):
    """A ledger entry: the envelope as signed, and what its leaf was made with.

    `cause` is what an event about no claim follows from, such as the deposit that a verdict is on.

    `node_hashes` has the roots of the perfect subtrees that this entry completes, smallest first, 32 bytes
    each: its leaf hash, and one more for each 1 at the end of its index in binary. So every node of the tree
    is stored once, with the entry it waited for, and a proof reads as many rows as it has hashes or so.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("agreement_id", "statement_id"),
        Index("ix_ledger_entries_claim", "claim", "index"),
        Index("ix_ledger_entries_kind", "agreement_id", "kind", "index"),
        Index("ix_ledger_entries_cause", "agreement_id", "cause", "index"),
        CheckConstraint('"index" >= 0', name="index_counts_from_zero"),
    )
    agreement_id: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    index: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    accepted_at: datetime = Field(sa_type=InstantText)
    kind: str = Field(sa_type=String(_KIND_LENGTH))
    statement_id: str = Field(sa_type=String(_DIGEST_LENGTH))
    claim: str | None = Field(sa_type=String(_DIGEST_LENGTH))
    cause: str | None = Field(sa_type=String(_DIGEST_LENGTH))
    node_hashes: bytes = Field(sa_type=LargeBinary)
    salt: bytes = Field(sa_type=LargeBinary)
    envelope: bytes = Field(sa_type=LargeBinary)  # last: what comes after a long value is read through it


class LogRow(SQLModel, table=True):
    """An agreement's log: its size, and the roots of its perfect subtrees, 32 bytes each."""

    __tablename__ = "logs"
    agreement_id: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    size: int = Field(sa_type=BigInteger)
    frontier: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(SQLModel, table=True):
    """A checkpoint that was signed; the root of the frontier must be the one in the note."""

    __tablename__ = "checkpoints"
    __table_args__ = (_points("agreement_id", to="logs.agreement_id"),)
    agreement_id: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    note: bytes = Field(sa_type=LargeBinary)
    frontier: bytes = Field(sa_type=LargeBinary)


class AgreementRow(SQLModel, table=True):
    """A version of an agreement, by the digest that claims pin."""

    __tablename__ = "agreements"
    __table_args__ = (
        UniqueConstraint("agreement_id", "version"),
        _points("agreement_id", "digest", to=_STATEMENT),
    )
    digest: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    agreement_id: str = Field(sa_type=String(NAME_LENGTH_MAX))
    version: int


class PersonKeyRow(SQLModel, table=True):
    """A key that a version of an agreement lists: says what its holder may see, and nothing else.

    `fingerprint` is the SHA-256 of the raw key, as in bearer tokens.
    """

    __tablename__ = "person_keys"
    __table_args__ = (_points("agreement_digest", to="agreements.digest"),)
    fingerprint: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    agreement_digest: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    public_key: str = Field(sa_type=String(_PUBLIC_KEY_LENGTH))
    person: str = Field(sa_type=String(PERSON_ID_LENGTH_MAX))


class ClaimRow(SQLModel, table=True):
    """A claim, once and for ever: its digest, and the short form it is shown in."""

    __tablename__ = "claims"
    __table_args__ = (_points("agreement_id", "digest", to=_STATEMENT),)
    digest: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    agreement_id: str = Field(sa_type=String(NAME_LENGTH_MAX), index=True)
    claim_id: str = Field(sa_type=String(_CLAIM_ID_LENGTH), unique=True)


class DecisionRow(SQLModel, table=True):
    """The one decision on a stage of a claim: the primary key is the promise."""

    __tablename__ = "decisions"
    __table_args__ = (
        _points("claim", to="claims.digest"),
        _points("agreement_id", "entry_index", to=("ledger_entries.agreement_id", "ledger_entries.index")),
    )
    claim: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    stage: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    agreement_id: str = Field(sa_type=String(NAME_LENGTH_MAX))
    entry_index: int = Field(sa_type=BigInteger)


class DepositRow(SQLModel, table=True):
    """A deposit, by its number under its agreement.

    `accepted_at`, `person` and `size_bytes`, of all files that it names, say how much was deposited in a
    day without a look at any statement; nothing else is decided by them.
    """

    __tablename__ = "deposits"
    __table_args__ = (
        UniqueConstraint("agreement_id", "digest"),
        _points("agreement_id", "digest", to=_STATEMENT),
    )
    agreement_id: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(sa_type=String(_DIGEST_LENGTH))
    accepted_at: datetime = Field(sa_type=InstantText)
    person: str = Field(sa_type=String(PERSON_ID_LENGTH_MAX))
    size_bytes: int = Field(sa_type=BigInteger)


class BlobRow(SQLModel, table=True):
    """A blob that someone has sent under an agreement for a purpose, or is sending: its sender pays for it.

    The same bytes from another sender, or under another agreement, are another row. While bytes are under
    way, `arriving_bytes` says for how many there is room; `arrived_at` is empty until all had arrived once.
    `named` means that a statement was seen to name it: then it is never removed. `behind_since` is empty if
    every store was seen to have a good copy; `lost` means that no store was seen to have one.
    """

    __tablename__ = "blobs"
    __table_args__ = (
        Index("ix_blobs_room", "agreement_id", "purpose", "party"),
        Index(
            "ix_blobs_behind",
            "behind_since",
            sqlite_where=text("behind_since IS NOT NULL"),
            postgresql_where=text("behind_since IS NOT NULL"),
        ),
    )
    agreement_id: str = Field(primary_key=True, sa_type=String(NAME_LENGTH_MAX))
    digest: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH), index=True)
    uploaded_by: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    purpose: str = Field(primary_key=True, sa_type=String(_KIND_LENGTH))
    party: str = Field(sa_type=String(NAME_LENGTH_MAX))
    size_bytes: int = Field(sa_type=BigInteger)
    arrived_at: datetime | None = Field(sa_type=InstantText)
    arriving_bytes: int | None = Field(sa_type=BigInteger)
    continued_at: datetime = Field(sa_type=InstantText)
    named: bool = False
    behind_since: datetime | None = Field(default=None, sa_type=InstantText)
    lost: bool = False


class BlobChunksRow(SQLModel, table=True):
    """The SHA-256 of up to 1,024 chunks of a blob, 32 bytes each; `part` counts such rows from zero."""

    __tablename__ = "blob_chunks"
    digest: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    part: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    hashes: bytes = Field(sa_type=LargeBinary)


class AnswerRow(SQLModel, table=True):
    """The answer given under an `Idempotency-Key`, for when the request is repeated."""

    __tablename__ = "idempotency_keys"
    principal: str = Field(primary_key=True, sa_type=String(_DIGEST_LENGTH))
    key: str = Field(primary_key=True, sa_type=String(IDEMPOTENCY_KEY_LENGTH_MAX))
    route: str = Field(sa_type=String(_ROUTE_LENGTH))
    body_digest: str = Field(sa_type=String(_DIGEST_LENGTH))
    status: int
    response: bytes = Field(sa_type=LargeBinary)
    answered_at: datetime = Field(sa_type=InstantText, index=True)


def create_tables(database: Engine) -> None:
    """Make the tables in an empty database, as the newest migration leaves them; migrate any other.

    For the embedded stack and tests; a site migrates before its services start.

    Raises:
        TallystickError: As `migrate.upgrade`.
    """
    with transaction(database) as session:
        connection = session.connection()
        if not inspect(connection).get_table_names():
            SQLModel.metadata.create_all(connection)
            migrate.stamp(connection)
            return
    migrate.upgrade(database)
