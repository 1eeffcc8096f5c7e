"""The schema that the migrations make."""

import ast
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import CheckConstraint, event, inspect, select

from mnistweb import config
from mnistweb.app import create_database_app
from mnistweb.database.models import DoubtTally, Prediction
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from tests.support.rows import row

VERSIONS = config.site_files() / "migrations" / "versions"
LATER = {"doubtful", "review", "prompt", "challenge", "decision", "truth"}
"""Columns of predictions that came with or after the digits in doubt."""


def test_models_and_migrations_agree(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, db.metadata) == []


def test_models_and_migrations_agree_on_checks(app: Flask) -> None:
    declared = {
        constraint.name
        for constraint in Prediction.metadata.tables["prediction"].constraints
        if isinstance(constraint, CheckConstraint)
    }
    with app.app_context():
        present = {check["name"] for check in inspect(db.engine).get_check_constraints("prediction")}
    assert present == declared


def test_migrations_can_be_reverted(unmigrated_settings: dict[str, Any]) -> None:
    app = create_database_app(unmigrated_settings)
    with app.app_context():
        flask_migrate.upgrade()
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        assert "prediction" in inspect(db.engine).get_table_names()
        db.engine.dispose()


def test_interrupted_migration_leaves_nothing_and_can_be_repeated(
    unmigrated_settings: dict[str, Any],
) -> None:
    app = create_database_app(unmigrated_settings)

    def interrupt(_: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(("INSERT INTO alembic_version", "UPDATE alembic_version")):
            raise InterruptedError

    with app.app_context():
        scripts = ScriptDirectory(app.extensions["migrate"].directory)
        for script in reversed(list(scripts.walk_revisions())):
            before = schema()
            event.listen(db.engine, "before_cursor_execute", interrupt)
            with pytest.raises(InterruptedError):
                flask_migrate.upgrade(revision=script.revision)
            event.remove(db.engine, "before_cursor_execute", interrupt)
            assert schema() == before
            flask_migrate.upgrade(revision=script.revision)
            assert schema() != before
        with db.engine.connect() as connection:
            assert connection.connection.dbapi_connection.isolation_level == ""  # type: ignore[union-attr]
        db.engine.dispose()


def schema() -> list[tuple[Any, ...]]:
    """Return what an SQLite database has of tables and indexes."""
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sqlite_schema ORDER BY name, sql").all()
        return [tuple(row) for row in rows]


@pytest.fixture(params=["sqlite", "postgresql"])
def unmigrated_app(request: pytest.FixtureRequest, unmigrated_settings: dict[str, Any]) -> Flask:
    settings = unmigrated_settings
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_database").url
        settings = settings | {"DATABASE_URL": url.render_as_string(hide_password=False)}
    return create_database_app(settings)


def test_former_answers_are_kept_and_unsure_ones_are_doubtful(unmigrated_app: Flask) -> None:
    answers = {
        (None, 0.4): "not_a_digit",
        (None, 0.99): "not_a_digit",
        (3, 0.0): "doubtful",
        (3, 0.3): "doubtful",
        (3, 0.6999): "doubtful",
        (3, 0.7): "sure",
        (3, 1.0): "sure",
    }
    with unmigrated_app.app_context():
        flask_migrate.upgrade(revision="0009")
        columns = [column for column in Prediction.__table__.columns if column.name not in LATER]
        former = sa.table("prediction", *(sa.column(column.name, column.type) for column in columns))
        with db.engine.begin() as connection:
            for digit, confidence in answers:
                kept = row(digit=digit, confidence=confidence)
                values = {column.name: getattr(kept, column.name) for column in columns}
                connection.execute(former.insert().values(values))
        for _ in range(2):
            flask_migrate.upgrade()
            found = db.session.scalars(select(Prediction)).all()
            assert {(each.digit, each.confidence): each.certainty for each in found} == answers
            before = counted_doubts()
            assert [count for *_, count in before] == [3, 3]  # of the day, and of the month
            aggregates.recount(db.session())
            db.session.commit()
            assert counted_doubts() == before
            db.session.remove()
            flask_migrate.downgrade(revision="0009")
        db.engine.dispose()


def counted_doubts() -> list[tuple[Any, ...]]:
    """Return the rows of the counts of digits in doubt."""
    columns = list(DoubtTally.__table__.columns)
    return sorted(tuple(each) for each in db.session.execute(select(*columns)))


def test_sqlite_has_its_pragmas(unmigrated_settings: dict[str, Any]) -> None:
    app = create_database_app(unmigrated_settings)
    with app.app_context():
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
        db.engine.dispose()


@pytest.mark.parametrize("file", sorted(VERSIONS.glob("*.py")), ids=lambda file: file.stem)
def test_migrations_import_nothing_of_the_application(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or ".").partition(".")[0])
    assert imported <= {"alembic", "collections", "contextlib", "sqlalchemy"}
