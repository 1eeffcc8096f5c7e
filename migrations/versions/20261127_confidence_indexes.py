"""Indexes for the order by confidence, and for all predictions with feedback."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ORDER = ["created_at", "id"]
WRONG = "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label"
# Name, columns, condition.
INDEXES: tuple[tuple[str, list[str], str | None], ...] = (
    ("confidence_created_at_id", ["confidence", *ORDER], None),
    ("labelled", ORDER, "labelled_at IS NOT NULL"),
    ("wrong_confidence", ["confidence", *ORDER, "digit", "label", "model", "source"], WRONG),
)


def upgrade() -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        for name, columns, where in INDEXES:
            # SQLite uses an index only under its own spelling of the condition.
            for_sqlite = where and where.replace("IS DISTINCT FROM", "IS NOT")
            # An interrupted build leaves an invalid index behind.
            op.drop_index(
                f"ix_prediction_{name}",
                "prediction",
                if_exists=True,
                postgresql_concurrently=concurrently,
            )
            op.create_index(
                f"ix_prediction_{name}",
                "prediction",
                columns,
                postgresql_concurrently=concurrently,
                postgresql_where=where and sa.text(where),
                sqlite_where=for_sqlite and sa.text(for_sqlite),
            )


def downgrade() -> None:
    for name, _, _ in INDEXES:
        op.drop_index(f"ix_prediction_{name}", "prediction")
