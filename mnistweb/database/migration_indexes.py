"""Indexes of the log, built by migrations while the site goes on writing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from mnistweb.database.models import for_sqlite


def build_index(name: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    """Build an index of the predictions that meet `where`; PostgreSQL does it outside a transaction."""
    with without_locks() as concurrently:
        # One that was interrupted while it was built is there, and invalid.
        op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
        op.create_index(
            name,
            "prediction",
            columns,
            unique=unique,
            postgresql_concurrently=concurrently,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(for_sqlite(where)),
        )


def rebuild_index(name: str, columns: Sequence[str], where: str) -> None:
    """Build an index anew with other columns; on PostgreSQL the old one serves until that is done."""
    if op.get_bind().dialect.name != "postgresql":
        build_index(name, columns, where)
        return
    build_index(f"{name}_new", columns, where)
    with without_locks():
        op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=True)
        op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")


@contextmanager
def without_locks() -> Iterator[bool]:
    """Outside a transaction PostgreSQL can build and drop indexes while others write; whether it is that."""
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            yield True
    else:
        yield False
