"""Indexes of what waits for a review, and of the decisions of a reviewer."""

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

ORDER = ["confidence", "created_at", "id"]
INDEXES = {
    "ix_prediction_review_claims": (
        ORDER,
        "decision IS NULL AND labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
    ),
    "ix_prediction_review_prompted": (
        ORDER,
        "decision IS NULL AND prompt IS NOT NULL AND digit IS DISTINCT FROM prompt",
    ),
    "ix_prediction_review_refused": (ORDER, "decision IS NULL AND digit IS NULL"),
    "ix_prediction_review_doubtful": (ORDER, "decision IS NULL AND doubtful"),
    "ix_prediction_unreviewed_claims": (
        ["visitor", *ORDER],
        "decision IS NULL AND labelled_at IS NOT NULL",
    ),
    "ix_prediction_reviewed_claims": (
        ["visitor", "decision", "truth", "label"],
        "decision IS NOT NULL AND labelled_at IS NOT NULL",
    ),
}
REVIEWER_INDEX = "ix_review_decision_reviewer_decided_at_id"


def upgrade() -> None:
    # PostgreSQL builds an index without blocking writers, but only outside a transaction.
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        for name, (columns, condition) in INDEXES.items():
            # An interrupted build leaves an invalid index behind.
            op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
            op.create_index(
                name,
                "prediction",
                columns,
                postgresql_concurrently=concurrently,
                postgresql_where=sa.text(condition),
                sqlite_where=sa.text(_for_sqlite(condition)),
            )
    op.create_index(REVIEWER_INDEX, "review_decision", ["reviewer", "decided_at", "id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index(REVIEWER_INDEX, "review_decision")
    for name in reversed(INDEXES):
        op.drop_index(name, "prediction")


def _for_sqlite(condition: str) -> str:
    return condition.replace("IS DISTINCT FROM", "IS NOT").replace("AND doubtful", "AND doubtful = 1")
