"""A key stands for one prediction. Not with its column, since PostgreSQL builds it outside a transaction."""

from alembic import op

from mnistweb.database.migration_indexes import build_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = "ix_prediction_request_key"


def upgrade() -> None:
    build_index(NAME, ["request_key"], "request_key IS NOT NULL", unique=True)


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
