"""Challenges, the digit that the author of a drawing was asked for, and counts of such drawings."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prediction", sa.Column("prompt", sa.SmallInteger(), nullable=True))
    op.add_column("prediction", sa.Column("challenge", sa.Uuid(), nullable=True))
    op.create_table(
        "challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visitor", sa.String(32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("drawn", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
    )
    op.create_index(op.f("ix_challenge_visitor_started_at"), "challenge", ["visitor", "started_at"])
    op.create_table(
        "prompt_tally",
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("digit", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("span", "start", "model", "digit", "label", "shard"), name=op.f("pk_prompt_tally")
        ),
    )


def downgrade() -> None:
    op.drop_table("prompt_tally")
    op.drop_table("challenge")
    op.drop_column("prediction", "challenge")
    op.drop_column("prediction", "prompt")
