"""An index for what was read as something else: one square of the table of confusions."""

from alembic import op

from mnistweb.database.migration_indexes import build_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = "ix_prediction_read_as"


def upgrade() -> None:
    build_index(NAME, ["digit", "label", "created_at", "id"], "label IS NOT NULL")


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
