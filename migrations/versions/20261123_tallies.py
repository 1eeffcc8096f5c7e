"""Aggregates for the insights: counts by day and by month, filled from the log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The UTC day of a prediction, and the first day of its month.
STARTS = {
    "sqlite": {"day": "date(created_at)", "month": "strftime('%Y-%m-01', created_at)"},
    "postgresql": {
        "day": "CAST(created_at AT TIME ZONE 'UTC' AS date)",
        "month": "CAST(date_trunc('month', created_at AT TIME ZONE 'UTC') AS date)",
    },
}
TALLIES = """
INSERT INTO tally (span, start, model, digit, label, shard, count)
SELECT '{span}', {start}, model, COALESCE(digit, -1),
       CASE WHEN labelled_at IS NULL THEN -2 ELSE COALESCE(label, -1) END, 0, COUNT(*)
FROM prediction GROUP BY 2, 3, 4, 5
"""
CONFIDENCES = """
INSERT INTO confidence_tally (span, start, model, tenth, correct, count, confidence)
SELECT '{span}', {start}, model,
       CASE WHEN confidence >= 0.9 THEN 9 WHEN confidence >= 0.8 THEN 8 WHEN confidence >= 0.7 THEN 7
            WHEN confidence >= 0.6 THEN 6 WHEN confidence >= 0.5 THEN 5 WHEN confidence >= 0.4 THEN 4
            WHEN confidence >= 0.3 THEN 3 WHEN confidence >= 0.2 THEN 2 WHEN confidence >= 0.1 THEN 1
            ELSE 0 END,
       COALESCE(digit, -1) = COALESCE(label, -1), COUNT(*), SUM(confidence)
FROM prediction WHERE labelled_at IS NOT NULL GROUP BY 2, 3, 4, 5
"""


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("digit", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("span", "start", "model", "digit", "label", "shard", name=op.f("pk_tally")),
    )
    op.create_table(
        "confidence_tally",
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("tenth", sa.SmallInteger(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span", "start", "model", "tenth", "correct", name=op.f("pk_confidence_tally")
        ),
    )
    # Only reads the log, and so does not block writers.
    for span, start in STARTS[op.get_bind().dialect.name].items():
        op.execute(sa.text(TALLIES.format(span=span, start=start)))
        op.execute(sa.text(CONFIDENCES.format(span=span, start=start)))


def downgrade() -> None:
    op.drop_table("confidence_tally")
    op.drop_table("tally")
