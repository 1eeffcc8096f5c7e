"""Indexes of the drawings that were reviewed, and of those that a challenge asked for."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_prediction_decision": (["decision", "created_at", "id"], "decision IS NOT NULL"),
    "ix_prediction_prompt": (["prompt", "created_at", "id"], "prompt IS NOT NULL"),
    "ix_prediction_challenge": (["challenge"], "challenge IS NOT NULL"),
}


def upgrade() -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        for name, (columns, condition) in INDEXES.items():
            # An interrupted build leaves an invalid index behind.
            op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
            op.create_index(
                name,
                "prediction",
                columns,
                postgresql_concurrently=concurrently,
                postgresql_where=sa.text(condition),
                sqlite_where=sa.text(condition),
            )


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, "prediction")
