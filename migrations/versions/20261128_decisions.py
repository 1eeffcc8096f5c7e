"""The reviewed label of a drawing, and the decisions that led to it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prediction", sa.Column("decision", sa.String(8), nullable=True))
    op.add_column("prediction", sa.Column("truth", sa.SmallInteger(), nullable=True))
    op.create_table(
        "review_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prediction_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("decision", sa.String(8), nullable=True),
        sa.Column("truth", sa.SmallInteger(), nullable=True),
        sa.Column("decision_before", sa.String(8), nullable=True),
        sa.Column("truth_before", sa.SmallInteger(), nullable=True),
        sa.Column("digit", sa.SmallInteger(), nullable=True),
        sa.Column("label", sa.SmallInteger(), nullable=True),
        sa.Column("labelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_decision")),
        sa.ForeignKeyConstraint(["prediction_id"], ["prediction.id"], ondelete="CASCADE"),
    )
    op.create_index(
        op.f("ix_review_decision_prediction_id_decided_at"),
        "review_decision",
        ["prediction_id", "decided_at"],
    )
    op.create_index(op.f("ix_review_decision_decided_at_id"), "review_decision", ["decided_at", "id"])


def downgrade() -> None:
    op.drop_table("review_decision")
    op.drop_column("prediction", "truth")
    op.drop_column("prediction", "decision")
