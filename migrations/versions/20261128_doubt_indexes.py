"""Indexes that serve doubt and confidence together, without reading the table."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

Indexes = dict[str, tuple[list[str], str | None]]
# The columns and the condition of each index.
BEFORE: Indexes = {
    "ix_prediction_doubtful": (["created_at", "id", "digit", "label", "model", "source"], "doubtful"),
    "ix_prediction_review_doubtful": (["confidence", "created_at", "id"], "decision IS NULL AND doubtful"),
    "ix_prediction_confidence_created_at_id": (["confidence", "created_at", "id"], None),
}
AFTER: Indexes = {
    "ix_prediction_doubtful_time": (
        ["created_at", "id", "digit", "label", "model", "source", "confidence"],
        "doubtful",
    ),
    "ix_prediction_doubtful_confidence": (["confidence", "created_at", "id", "decision"], "doubtful"),
    "ix_prediction_confidence": (["confidence", "created_at", "id", "doubtful", "digit"], None),
}


def upgrade() -> None:
    _replace(BEFORE, AFTER)


def downgrade() -> None:
    _replace(AFTER, BEFORE)


def _replace(old: Indexes, new: Indexes) -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction. The old indexes
    # serve until the new ones are built.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        for name, (columns, condition) in new.items():
            # An interrupted build leaves an invalid index behind.
            op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
            op.create_index(
                name,
                "prediction",
                columns,
                postgresql_concurrently=concurrently,
                postgresql_where=condition and sa.text(condition),
                sqlite_where=condition and sa.text(condition.replace("doubtful", "doubtful = 1")),
            )
        for name in old:
            op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
