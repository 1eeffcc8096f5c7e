"""The log of predictions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("drawing", sa.LargeBinary(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("strokes", sa.JSON(), nullable=True),
        sa.Column("digit", sa.SmallInteger(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("not_a_digit", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("recognition_ms", sa.Double(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=True),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("digit BETWEEN 0 AND 9", name=op.f("ck_prediction_digit")),
        sa.CheckConstraint("label BETWEEN 0 AND 9", name=op.f("ck_prediction_label")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction")),
    )
    op.create_index("ix_prediction_created_at_id", "prediction", ["created_at", "id"])
    op.create_index("ix_prediction_visitor_created_at_id", "prediction", ["visitor", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("prediction")
