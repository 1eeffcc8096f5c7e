"""Columns for idempotency keys, null for requests without a key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAMES = ("request_key", "request_content")


def upgrade() -> None:
    for name in NAMES:
        # Without a default, so that PostgreSQL need not rewrite the table.
        op.add_column("prediction", sa.Column(name, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for name in NAMES:
        op.drop_column("prediction", name)
