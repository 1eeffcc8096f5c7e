"""Doubt in the answers so far, its index and its counts.

The pages called a digit unsure below a confidence of 0.7: these are the doubtful ones. Digits above it
are sure, and what was read as "not a digit" stays that.
"""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "ix_prediction_doubtful"
SURE_FROM = 0.7
STEPS = 70
"""Parts of the range of confidence that are updated one by one, so that few rows are locked at a time."""
DOUBT = """
UPDATE prediction SET doubtful = true
WHERE confidence >= :least AND confidence < :below AND digit IS NOT NULL AND NOT doubtful
"""
# The UTC day of a prediction, and the first day of its month.
STARTS = {
    "sqlite": {"day": "date(created_at)", "month": "strftime('%Y-%m-01', created_at)"},
    "postgresql": {
        "day": "CAST(created_at AT TIME ZONE 'UTC' AS date)",
        "month": "CAST(date_trunc('month', created_at AT TIME ZONE 'UTC') AS date)",
    },
}
TALLIES = """
INSERT INTO doubt_tally (span, start, model, digit, label, shard, count)
SELECT '{span}', {start}, model, digit,
       CASE WHEN labelled_at IS NULL THEN -2 ELSE COALESCE(label, -1) END, 0, COUNT(*)
FROM prediction WHERE {doubtful} AND digit IS NOT NULL GROUP BY 2, 3, 4, 5
"""
CONDITIONS = {"sqlite": "doubtful = 1", "postgresql": "doubtful"}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    concurrently = dialect == "postgresql"
    # Outside a transaction PostgreSQL builds an index without blocking writers, and unlocks the rows of each
    # step at once. All of it can be run again after an interruption.
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        for step in range(STEPS):
            bounds = {"least": SURE_FROM * step / STEPS, "below": SURE_FROM * (step + 1) / STEPS}
            op.execute(sa.text(DOUBT).bindparams(**bounds))
        op.drop_index(NAME, "prediction", if_exists=True, postgresql_concurrently=concurrently)
        op.create_index(
            NAME,
            "prediction",
            ["created_at", "id", "digit", "label", "model", "source"],
            postgresql_concurrently=concurrently,
            postgresql_where=sa.text(CONDITIONS["postgresql"]),
            sqlite_where=sa.text(CONDITIONS["sqlite"]),
        )
    op.execute(sa.text("DELETE FROM doubt_tally"))
    for span, start in STARTS[dialect].items():
        op.execute(sa.text(TALLIES.format(span=span, start=start, doubtful=CONDITIONS[dialect])))


def downgrade() -> None:
    op.drop_index(NAME, "prediction")
