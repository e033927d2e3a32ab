"""The first tables: the ledger, and what it is found by."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, index and constraint."""
    _create_entries()
    _create_logs()
    _create_checkpoints()
    _create_agreements()
    _create_deposits()
    _create_claims()
    _create_decisions()
    _create_storage()
    _create_answers()


def _create_entries() -> None:
    """Create the rows of the logs' entries."""
    op.create_table(
        "ledger_entries",
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("accepted_at", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("statement_id", sa.String(length=71), nullable=False),
        sa.Column("claim", sa.String(length=71), nullable=True),
        sa.Column("cause", sa.String(length=71), nullable=True),
        sa.Column("node_hashes", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint('"index" >= 0', name="index_counts_from_zero"),
        sa.PrimaryKeyConstraint("agreement_id", "index"),
        sa.UniqueConstraint("agreement_id", "statement_id"),
    )
    op.create_index("ix_ledger_entries_claim", "ledger_entries", ["claim", "index"], unique=False)
    op.create_index(
        "ix_ledger_entries_cause", "ledger_entries", ["agreement_id", "cause", "index"], unique=False
    )


def _create_logs() -> None:
    """Create one row a log."""
    op.create_table(
        "logs",
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id"),
    )


def _create_checkpoints() -> None:
    """Create what the logs were signed as."""
    op.create_table(
        "checkpoints",
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        _refers(["agreement_id"], ["logs.agreement_id"]),
        sa.PrimaryKeyConstraint("agreement_id", "size"),
    )


def _create_agreements() -> None:
    """Create one row a version, and one a key of its persons."""
    op.create_table(
        "agreements",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _refers(["agreement_id", "digest"], ["ledger_entries.agreement_id", "ledger_entries.statement_id"]),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("agreement_id", "version"),
    )
    op.create_table(
        "person_keys",
        sa.Column("fingerprint", sa.String(length=71), nullable=False),
        sa.Column("agreement_digest", sa.String(length=71), nullable=False),
        sa.Column("public_key", sa.String(length=72), nullable=False),
        sa.Column("person", sa.String(length=127), nullable=False),
        _refers(["agreement_digest"], ["agreements.digest"]),
        sa.PrimaryKeyConstraint("fingerprint", "agreement_digest"),
    )


def _create_deposits() -> None:
    """Create one row a deposit."""
    op.create_table(
        "deposits",
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("accepted_at", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=127), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        _refers(["agreement_id", "digest"], ["ledger_entries.agreement_id", "ledger_entries.statement_id"]),
        sa.PrimaryKeyConstraint("agreement_id", "number"),
        sa.UniqueConstraint("agreement_id", "digest"),
    )


def _create_claims() -> None:
    """Create one row a claim."""
    op.create_table(
        "claims",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("claim_id", sa.String(length=20), nullable=False),
        _refers(["agreement_id", "digest"], ["ledger_entries.agreement_id", "ledger_entries.statement_id"]),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("claim_id"),
    )
    op.create_index("ix_claims_agreement_id", "claims", ["agreement_id"], unique=False)


def _create_decisions() -> None:
    """Create one row a decision to release."""
    op.create_table(
        "decisions",
        sa.Column("claim", sa.String(length=71), nullable=False),
        sa.Column("stage", sa.String(length=63), nullable=False),
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        _refers(["agreement_id", "entry_index"], ["ledger_entries.agreement_id", "ledger_entries.index"]),
        _refers(["claim"], ["claims.digest"]),
        sa.PrimaryKeyConstraint("claim", "stage"),
    )


def _create_storage() -> None:
    """Create the table of blobs."""
    op.create_table(
        "blobs",
        sa.Column("agreement_id", sa.String(length=63), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("uploaded_by", sa.String(length=71), nullable=False),
        sa.Column("purpose", sa.String(length=63), nullable=False),
        sa.Column("party", sa.String(length=63), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.String(length=20), nullable=True),
        sa.Column("arriving_bytes", sa.BigInteger(), nullable=True),
        sa.Column("continued_at", sa.String(length=20), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("behind_since", sa.String(length=20), nullable=True),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id", "digest", "uploaded_by", "purpose"),
    )
    op.create_index(
        "ix_blobs_behind",
        "blobs",
        ["behind_since"],
        unique=False,
        sqlite_where=sa.text("behind_since IS NOT NULL"),
        postgresql_where=sa.text("behind_since IS NOT NULL"),
    )
    op.create_index("ix_blobs_digest", "blobs", ["digest"], unique=False)
    op.create_index("ix_blobs_room", "blobs", ["agreement_id", "purpose", "party"], unique=False)


def _create_answers() -> None:
    """Create the table of answers to repeated requests."""
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.String(length=71), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("route", sa.String(length=256), nullable=False),
        sa.Column("body_digest", sa.String(length=71), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key"),
    )
    op.create_index("ix_idempotency_keys_answered_at", "idempotency_keys", ["answered_at"], unique=False)


def _refers(columns: list[str], to: list[str]) -> sa.ForeignKeyConstraint:
    """Have rows name rows that may follow in the same transaction."""
    return sa.ForeignKeyConstraint(columns, to, initially="DEFERRED", deferrable=True)
