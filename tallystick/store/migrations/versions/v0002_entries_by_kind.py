"""An index by kind: each look at a claim asks for the revocations under its agreement."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "ix_ledger_entries_kind", "ledger_entries", ["agreement_id", "kind", "index"], unique=False
    )
