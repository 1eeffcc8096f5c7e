"""Predictions without recognition."""

import uuid
from datetime import UTC, datetime

from mnistweb.database.models import Prediction, Source
from mnistweb.extensions import db

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(created_at: datetime = NOON, visitor: str = "someone", **fields: object) -> Prediction:
    """Return a prediction with defaults for all other fields."""
    values: dict[str, object] = {
        "id": uuid.uuid4(),
        "created_at": created_at,
        "visitor": visitor,
        "source": Source.SLATE,
        "drawing": b"",
        "input": b"",
        "digit": 3,
        "doubtful": False,
        "confidence": 0.9,
        "not_a_digit": 0.1,
        "probabilities": [0.1] * 10,
        "model": "cnn",
        "model_version": "1",
        "recognition_ms": 1.0,
    }
    return Prediction(**(values | fields))


def add(*rows: Prediction) -> list[uuid.UUID]:
    """Add predictions to the log, but not to the aggregates, and return their ids."""
    db.session.add_all(rows)
    db.session.commit()
    return [prediction.id for prediction in rows]
