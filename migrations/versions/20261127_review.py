"""Column for the operator's word on a drawing: approved, hidden, or null for none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prediction", sa.Column("review", sa.String(8), nullable=True))


def downgrade() -> None:
    op.drop_column("prediction", "review")
