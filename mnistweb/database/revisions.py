"""Which migrations a database has, compared with those that this version knows."""

from enum import Enum, auto
from functools import cache

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


class Schema(Enum):
    """The schema of a database."""

    OLDER = auto()
    """This version must migrate it first."""
    OWN = auto()
    NEWER = auto()
    """A newer version has migrated it, beside which this one may serve."""


def schema_of(connection: Connection, directory: str) -> Schema:
    """Compare a database with the migrations in `directory`."""
    revisions = MigrationContext.configure(connection).get_current_heads()
    older, newest = _known(directory)
    if not revisions or not older.isdisjoint(revisions):
        return Schema.OLDER
    return Schema.OWN if newest.issuperset(revisions) else Schema.NEWER


@cache
def _known(directory: str) -> tuple[frozenset[str], frozenset[str]]:
    config = Config()
    config.set_main_option("script_location", directory.replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = frozenset(scripts.get_heads())
    return frozenset(script.revision for script in scripts.walk_revisions()) - newest, newest
