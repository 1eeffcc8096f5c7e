"""Forgetting a visitor: everything that the site has of them, and how to find them."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, delete, func, select

from mnistweb.database.models import Challenge, Prediction, ReviewDecision
from mnistweb.database.wiping import wipe
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.manifest import read_manifest
from mnistweb.datasets.records import writer_number
from mnistweb.extensions import db
from mnistweb.predictions.store import delete_all_own

BATCH = 1_000
"""Visitors whose numbers are computed together."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """The numbers of rows that the site has of a visitor."""

    drawings: int
    decisions: int
    challenges: int

    def __bool__(self) -> bool:
        return bool(self.drawings or self.challenges)


def belongings(visitor: str) -> Belongings:
    """Count what the site has of a visitor."""
    found = Belongings(
        _count(Prediction, Prediction.visitor == visitor),
        _count(
            ReviewDecision,
            ReviewDecision.prediction_id.in_(select(Prediction.id).where(Prediction.visitor == visitor)),
        ),
        _count(Challenge, Challenge.visitor == visitor),
    )
    db.session.close()
    return found


def forget(visitor: str) -> None:
    """Delete all of a visitor's drawings with their reviews, and their challenges, and commit."""
    db.session.execute(
        delete(Challenge).where(Challenge.visitor == visitor).execution_options(synchronize_session=False)
    )
    db.session.commit()
    delete_all_own(visitor)  # their reviews go with them
    wipe(db.engine)


def author_of(prediction_id: uuid.UUID) -> str:
    """Return the visitor who drew a drawing. Raises DataSetError."""
    visitor = db.session.scalar(select(Prediction.visitor).where(Prediction.id == prediction_id))
    db.session.close()
    if visitor is None:
        raise DataSetError(f"There is no drawing {prediction_id}.")
    return visitor


def visitor_of_writer(folder: Path, writer: int) -> str:
    """Return the visitor with this number in an export, by its manifest's key. Raises DataSetError."""
    key = bytes.fromhex(read_manifest(folder).writer_key)
    last = ""
    while key:
        query = select(Prediction.visitor).distinct().where(Prediction.visitor > last)
        visitors = db.session.scalars(query.order_by(Prediction.visitor).limit(BATCH)).all()
        db.session.close()
        for visitor in visitors:
            if writer_number(visitor, key) == writer:
                return visitor
        if len(visitors) < BATCH:
            break
        last = visitors[-1]
    raise DataSetError(f"No visitor of this site has the number {writer} in {folder}.")


def _count(model: type[Prediction | ReviewDecision | Challenge], condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(condition)) or 0
