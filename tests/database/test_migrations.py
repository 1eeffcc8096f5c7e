"""The schema that the migrations make."""

import ast
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import CheckConstraint, inspect

from mnistweb import config
from mnistweb.app import create_database_app
from mnistweb.database.models import Prediction
from mnistweb.extensions import db

VERSIONS = config.site_files() / "migrations" / "versions"


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
