"""Retention: old drawings go, and the counts of the insights stay."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select

from mnistweb.database.models import Prediction
from mnistweb.database.wiping import wipe
from mnistweb.extensions import db
from mnistweb.predictions.challenges import delete_challenges_before

BATCH = 500
"""Rows that are deleted together."""


def first_kept_day(days: int) -> date | None:
    """Return the first day (UTC) of those that RETENTION_DAYS keeps; None keeps all."""
    return datetime.now(UTC).date() - timedelta(days) if days else None


def start_of(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, time(), UTC)


def prune(first_kept: date) -> Iterator[int]:
    """Delete the challenges and predictions of earlier days; yield the number of predictions of each batch.

    Each batch is committed.
    """
    delete_challenges_before(start_of(first_kept))
    old = (
        select(Prediction.id)
        .where(Prediction.created_at < start_of(first_kept))
        .order_by(Prediction.created_at, Prediction.id)
        .limit(BATCH)
    )
    statement = delete(Prediction).where(Prediction.id.in_(old.scalar_subquery()))
    while True:
        result = db.session.execute(statement.execution_options(synchronize_session=False))
        db.session.commit()
        if not (deleted := cast(CursorResult[Any], result).rowcount):
            wipe(db.engine)
            return
        yield deleted
