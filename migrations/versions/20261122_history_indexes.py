"""Indexes for the filters of the history."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = ("model", "digit", "source")
PARTS = {
    "refused": ([], "digit IS NULL"),
    "label": (["label"], "label IS NOT NULL"),
    "label_none": ([], "labelled_at IS NOT NULL AND label IS NULL"),
    "unlabelled": ([], "labelled_at IS NULL"),
    "right": ([], "labelled_at IS NOT NULL AND digit IS NOT DISTINCT FROM label"),
    "wrong": ([], "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label"),
}


def upgrade() -> None:
    with _without_locks() as concurrently:
        for name, columns, condition in _indexes():
            # An interrupted build leaves an invalid index behind.
            op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
            op.create_index(
                name,
                "prediction",
                [*columns, "created_at", "id"],
                postgresql_concurrently=concurrently,
                postgresql_where=sa.text(condition) if condition else None,
                sqlite_where=sa.text(_for_sqlite(condition)) if condition else None,
            )


def downgrade() -> None:
    with _without_locks() as concurrently:
        for name, _, _ in _indexes():
            op.drop_index(name, "prediction", postgresql_concurrently=concurrently)


def _indexes() -> list[tuple[str, list[str], str]]:
    whole = [(f"ix_prediction_{column}_created_at_id", [column], "") for column in COLUMNS]
    return whole + [(f"ix_prediction_{name}", *parts) for name, parts in PARTS.items()]


def _for_sqlite(condition: str) -> str:
    return condition.replace("IS NOT DISTINCT FROM", "IS").replace("IS DISTINCT FROM", "IS NOT")


@contextmanager
def _without_locks() -> Iterator[bool]:
    # PostgreSQL builds and drops indexes without blocking writers, but only outside a transaction.
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            yield True
    else:
        yield False
