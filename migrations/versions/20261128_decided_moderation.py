"""The moderation of a drawing after and before a decision: hiding is decided, and taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in the rows of earlier versions, which knew nothing of it.
    op.add_column("review_decision", sa.Column("review", sa.String(8), nullable=True))
    op.add_column("review_decision", sa.Column("review_before", sa.String(8), nullable=True))


def downgrade() -> None:
    op.drop_column("review_decision", "review_before")
    op.drop_column("review_decision", "review")
