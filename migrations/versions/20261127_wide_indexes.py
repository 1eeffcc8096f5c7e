"""Wider indexes, which can check a second filter without reading the table."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Name, columns before the time, columns after it, condition.
INDEXES: tuple[tuple[str, list[str], list[str], str], ...] = (
    ("refused", [], ["label", "model", "source"], "digit IS NULL"),
    ("label", ["label"], ["model", "source"], "label IS NOT NULL"),
    ("label_none", [], ["digit", "model", "source"], "labelled_at IS NOT NULL AND label IS NULL"),
    (
        "wrong",
        [],
        ["digit", "label", "model", "source"],
        "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
    ),
)


def upgrade() -> None:
    for name, before, behind, where in INDEXES:
        _rebuild_index(f"ix_prediction_{name}", [*before, "created_at", "id", *behind], where)


def downgrade() -> None:
    for name, before, _, where in INDEXES:
        _rebuild_index(f"ix_prediction_{name}", [*before, "created_at", "id"], where)


def _rebuild_index(name: str, columns: list[str], where: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        # SQLite uses an index only under its own spelling of the condition.
        condition = sa.text(where.replace("IS DISTINCT FROM", "IS NOT"))
        op.drop_index(name, "prediction", if_exists=True)
        op.create_index(name, "prediction", columns, sqlite_where=condition)
        return
    # Outside a transaction writers are not blocked; the old index serves until the new one is built.
    with op.get_context().autocommit_block():
        draft = f"{name}_new"
        # An interrupted build leaves an invalid index behind.
        op.drop_index(draft, "prediction", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            draft, "prediction", columns, postgresql_concurrently=True, postgresql_where=sa.text(where)
        )
        op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=True)
        op.execute(f"ALTER INDEX {draft} RENAME TO {name}")
