"""Indexes of the log, built by migrations while the site goes on writing."""

from collections.abc import Sequence
from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op


def build_index(name: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    """Build an index of the predictions that meet `where`; PostgreSQL does it outside a transaction."""
    concurrently = op.get_bind().dialect.name == "postgresql"
    with op.get_context().autocommit_block() if concurrently else nullcontext():
        # One that was interrupted while it was built is there, and invalid.
        op.drop_index(name, "prediction", if_exists=True, postgresql_concurrently=concurrently)
        op.create_index(
            name,
            "prediction",
            columns,
            unique=unique,
            postgresql_concurrently=concurrently,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )
