"""A wider index of the digits in doubt, which can check their confidence without reading the table."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = "ix_prediction_doubtful"
BEFORE = ["created_at", "id", "digit", "label", "model", "source"]


def upgrade() -> None:
    _rebuild_index([*BEFORE, "confidence"])


def downgrade() -> None:
    _rebuild_index(BEFORE)


def _rebuild_index(columns: list[str]) -> None:
    if op.get_bind().dialect.name != "postgresql":
        op.drop_index(NAME, "prediction", if_exists=True)
        op.create_index(NAME, "prediction", columns, sqlite_where=sa.text("doubtful = 1"))
        return
    # Outside a transaction writers are not blocked; the old index serves until the new one is built.
    with op.get_context().autocommit_block():
        draft = f"{NAME}_new"
        # An interrupted build leaves an invalid index behind.
        op.drop_index(draft, "prediction", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            draft, "prediction", columns, postgresql_concurrently=True, postgresql_where=sa.text("doubtful")
        )
        op.drop_index(NAME, "prediction", if_exists=True, postgresql_concurrently=True)
        op.execute(f"ALTER INDEX {draft} RENAME TO {NAME}")
