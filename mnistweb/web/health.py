"""Health checks: liveness and readiness."""

from functools import cache

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from mnistweb.database.failover import accepts_writes
from mnistweb.extensions import db
from mnistweb.registry.recognizers import zoo

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def live() -> ResponseReturnValue:
    """Answer the liveness probe."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Answer the readiness probe: 503 with the reason until the database is migrated and accepts writes.

    It may be migrated further than this version knows.
    """
    problem = _database_problem()
    if problem is None:
        return jsonify(status="ok", models=zoo().names())
    return jsonify(error={"code": "not_ready", "message": problem}), 503


def _database_problem() -> str | None:
    try:
        with db.engine.connect() as connection:
            revisions = MigrationContext.configure(connection).get_current_heads()
            writable = accepts_writes(connection)
    except SQLAlchemyError:
        return "The database cannot be reached."
    # An unknown revision is that of a newer version, beside which this one may serve.
    older = _older_revisions(current_app.extensions["migrate"].directory)
    if not revisions or not older.isdisjoint(revisions):
        return "The database is not migrated."
    return None if writable else "The database accepts no writes."


@cache
def _older_revisions(directory: str) -> frozenset[str]:
    config = Config()
    config.set_main_option("script_location", directory.replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    return frozenset(script.revision for script in scripts.walk_revisions() if not script.is_head)
