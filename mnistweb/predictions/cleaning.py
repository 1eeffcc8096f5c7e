"""Cleaning: encode drawings anew that an earlier version stored as they were sent."""

import uuid
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select, update

from mnistweb.database.models import Prediction
from mnistweb.database.wiping import wipe
from mnistweb.extensions import db
from mnistweb.predictions.images import encode_again
from mnistweb.recognition.png import is_own

BATCH = 200
"""Rows that are read and written together, of at most 64 KiB each."""


class CleanedBatch(NamedTuple):
    """Rows of a batch, those of them that were changed, and the id of the last."""

    seen: int
    changed: int
    last: uuid.UUID


def clean_drawings(after: uuid.UUID | None = None) -> Iterator[CleanedBatch]:
    """Clean all drawings whose ids follow `after`, in the order of their ids; commit and yield each batch."""
    query = select(Prediction.id, Prediction.drawing, Prediction.input).order_by(Prediction.id).limit(BATCH)
    while True:
        rows = db.session.execute(query if after is None else query.where(Prediction.id > after)).all()
        db.session.commit()  # pictures are encoded outside a transaction
        if not rows:
            wipe(db.engine)
            return
        cleaned = [(row.id, encode_again(row.drawing, row.input)) for row in rows if not is_own(row.drawing)]
        for prediction_id, drawing in cleaned:
            db.session.execute(
                update(Prediction)
                .where(Prediction.id == prediction_id)
                .values(drawing=drawing)
                .execution_options(synchronize_session=False)
            )
        db.session.commit()
        after = rows[-1].id
        yield CleanedBatch(len(rows), len(cleaned), after)
