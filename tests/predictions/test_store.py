from typing import Any

from flask import Flask
from sqlalchemy import event

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.store import insert
from tests.support.rows import row


def test_insert_stores_every_column(app: Flask) -> None:
    given = row(strokes={"size": 1, "strokes": []}, drawing=b"\x00\xff", input=b"%s:x", reason=None)
    with app.app_context():
        insert(given)
        found = db.session.get_one(Prediction, given.id)
        for column in Prediction.__table__.columns:
            assert getattr(found, column.name) == getattr(given, column.name)


def test_insert_is_one_statement_on_postgresql(app: Flask) -> None:
    statements: list[str] = []

    def record(*given: Any) -> None:
        statements.append(given[2])

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", record)
        insert(row())
        event.remove(db.engine, "before_cursor_execute", record)
        assert len(statements) == (1 if db.engine.dialect.name == "postgresql" else 2)
