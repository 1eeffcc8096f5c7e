"""Index of the reviewed drawings: the hidden ones are few, and a reviewed history lists the approved ones."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAME = "ix_prediction_review"
WHERE = sa.text("review IS NOT NULL")


def upgrade() -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        # An interrupted build leaves an invalid index behind.
        op.drop_index(NAME, "prediction", if_exists=True, postgresql_concurrently=concurrently)
        op.create_index(
            NAME,
            "prediction",
            ["review", "created_at", "id"],
            postgresql_concurrently=concurrently,
            postgresql_where=WHERE,
            sqlite_where=WHERE,
        )


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
