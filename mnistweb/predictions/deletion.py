"""Drawings leave the log when their author says so, each or all of them, in one transaction."""

import uuid

from sqlalchemy import ColumnElement, delete

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import aggregates as tallies
from mnistweb.predictions.service import NotFound


def delete_own(prediction_id: uuid.UUID, visitor: str) -> None:
    """Delete one prediction, and commit. Raises NotFound for anyone but its author."""
    if not _delete(Prediction.id == prediction_id, Prediction.visitor == visitor):
        raise NotFound


def delete_all_own(visitor: str) -> int:
    """Delete everything of the visitor's, and commit; how many that were."""
    return _delete(Prediction.visitor == visitor)


def _delete(*conditions: ColumnElement[bool]) -> int:
    # One statement deletes and says what it deleted: nobody can label a row in between.
    gone = db.session.execute(
        delete(Prediction)
        .where(*conditions)
        .returning(*tallies.COLUMNS)
        .execution_options(synchronize_session=False)
    ).all()
    tallies.change(db.session(), removed=gone)
    db.session.commit()
    return len(gone)
