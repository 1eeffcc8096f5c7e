"""An index for what was refused although it was a digit, which is too rare to be met on a walk."""

from alembic import op

from mnistweb.database.migration_indexes import build_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = "ix_prediction_refused_label"


def upgrade() -> None:
    build_index(NAME, ["label", "created_at", "id"], "digit IS NULL AND label IS NOT NULL")


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
