"""Where two filters meet few predictions, an index tells those that only one of them meets."""

from mnistweb.database.migration_indexes import rebuild_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Name, columns before the moment, columns behind it, condition.
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
        rebuild_index(f"ix_prediction_{name}", [*before, "created_at", "id", *behind], where)


def downgrade() -> None:
    for name, before, _, where in INDEXES:
        rebuild_index(f"ix_prediction_{name}", [*before, "created_at", "id"], where)
