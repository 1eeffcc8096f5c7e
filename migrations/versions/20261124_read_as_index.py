"""Index for one cell of the confusion matrix: filters by digit and label."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = "ix_prediction_read_as"
WHERE = sa.text("label IS NOT NULL")


def upgrade() -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        # An interrupted build leaves an invalid index behind.
        op.drop_index(NAME, "prediction", if_exists=True, postgresql_concurrently=concurrently)
        op.create_index(
            NAME,
            "prediction",
            ["digit", "label", "created_at", "id"],
            postgresql_concurrently=concurrently,
            postgresql_where=WHERE,
            sqlite_where=WHERE,
        )


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
