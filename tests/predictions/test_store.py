from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from mnistweb.database.models import DoubtTally, Prediction, PromptTally, Tally
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


@pytest.mark.parametrize("prompt", [None, 7])
@pytest.mark.parametrize("doubtful", [False, True])
def test_insert_is_one_statement_on_postgresql(app: Flask, doubtful: bool, prompt: int | None) -> None:
    statements: list[str] = []

    def record(*given: Any) -> None:
        statements.append(given[2])

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", record)
        insert(row(doubtful=doubtful, prompt=prompt))
        event.remove(db.engine, "before_cursor_execute", record)
        several = 2 + doubtful + (prompt is not None)
        assert len(statements) == (1 if db.engine.dialect.name == "postgresql" else several)
        for model in (Tally, DoubtTally, PromptTally):
            counts = db.session.scalars(select(model.count)).all()
            of_model = (model is Tally, model is DoubtTally and doubtful, model is PromptTally and prompt)
            assert counts == ([1, 1] if any(of_model) else [])
