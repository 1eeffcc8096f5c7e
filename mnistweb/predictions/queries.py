"""Queries of the prediction log: one prediction, a page, or all of it in batches."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Uuid, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, undefer

from mnistweb.database.models import Prediction, UtcDateTime
from mnistweb.extensions import db
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.pagination import Page, decode_cursor, encode_cursor
from mnistweb.recognition.errors import UserError

Conditions = Sequence[ColumnElement[bool]]
Deferred = InstrumentedAttribute[Any]


def get(prediction_id: uuid.UUID, visitor: str | None = None) -> Prediction:
    """Return a prediction by id; with a `visitor`, only if they are its author. Raises NotFound."""
    query = select(Prediction).where(Prediction.id == prediction_id)
    if visitor is not None:
        query = query.where(Prediction.visitor == visitor)
    prediction = db.session.scalar(query.execution_options(populate_existing=True))
    if prediction is None:
        raise NotFound
    return prediction


def page(conditions: Conditions, cursor: str | None, limit: int, *undeferred: Deferred) -> Page:
    """Return `limit` predictions that meet `conditions`, newest first, from `cursor` (None: the newest).

    `undeferred` are deferred columns to load with them. Raises UserError (invalid_cursor).
    """
    query = select(Prediction).where(*conditions).options(*map(undefer, undeferred))
    if cursor is not None:
        after = tuple_(*_position(cursor))
        query = query.where(tuple_(Prediction.created_at, Prediction.id) < after)
    query = query.order_by(Prediction.created_at.desc(), Prediction.id.desc())
    rows = db.session.scalars(query.limit(limit + 1)).all()
    items = rows[:limit]
    return Page(items, encode_cursor(items[-1]) if len(rows) > limit else None)


def batches(conditions: Conditions, *undeferred: Deferred, size: int = 100) -> Iterator[Sequence[Prediction]]:
    """Yield all predictions that meet `conditions` in batches, newest first; at least one batch.

    No connection and no transaction is held between two batches, even for a slow consumer.
    """
    cursor: str | None = None
    while True:
        batch = page(conditions, cursor, size, *undeferred)
        db.session.close()
        yield batch.items
        cursor = batch.next
        if cursor is None:
            return


def _position(cursor: str) -> tuple[ColumnElement[Any], ColumnElement[uuid.UUID]]:
    try:
        created_at, prediction_id = decode_cursor(cursor)
    except ValueError:
        raise UserError(
            "invalid_cursor", "This page of the list doesn’t exist: the cursor is invalid."
        ) from None
    return literal(created_at, UtcDateTime), literal(prediction_id, Uuid)
