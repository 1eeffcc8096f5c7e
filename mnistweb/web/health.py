"""Health checks: liveness and readiness."""

from flask import Blueprint, current_app, g, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from mnistweb.database.failover import accepts_writes
from mnistweb.database.revisions import Schema, schema_of
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
    g.error_code = "not_ready"
    return jsonify(error={"code": g.error_code, "message": problem}), 503


def _database_problem() -> str | None:
    try:
        with db.engine.connect() as connection:
            schema = schema_of(connection, current_app.extensions["migrate"].directory)
            writable = accepts_writes(connection)
    except SQLAlchemyError:
        return "The database cannot be reached."
    if schema is Schema.OLDER:
        return "The database is not migrated."
    return None if writable else "The database accepts no writes."
