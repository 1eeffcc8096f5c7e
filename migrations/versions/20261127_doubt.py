"""Column for a digit in doubt, and counts of such digits.

The certainty of an answer follows from two columns: without a digit it is "not a digit", else `doubtful`
or sure. An older version of the site writes neither the column nor the counts, so its digits are sure.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default, so that PostgreSQL need not rewrite the table.
    op.add_column(
        "prediction", sa.Column("doubtful", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "doubt_tally",
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("digit", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span", "start", "model", "digit", "label", "shard", name=op.f("pk_doubt_tally")
        ),
    )


def downgrade() -> None:
    op.drop_table("doubt_tally")
    op.drop_column("prediction", "doubtful")
