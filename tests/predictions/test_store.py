from typing import Any

from flask import Flask
from sqlalchemy import event

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.store import insert
from tests.support.rows import row


def test_what_is_saved_is_what_was_given(app: Flask) -> None:
    given = row(strokes={"size": 1, "strokes": []}, drawing=b"\x00\xff", input=b"%s:x", reason=None)
    with app.app_context():
        insert(given)
        found = db.session.get_one(Prediction, given.id)
        for column in Prediction.__table__.columns:
            assert getattr(found, column.name) == getattr(given, column.name)


def test_postgresql_is_asked_once(app: Flask) -> None:
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        insert(row())
        event.remove(db.engine, "before_cursor_execute", note)
        assert len(asked) == (1 if db.engine.dialect.name == "postgresql" else 2)
