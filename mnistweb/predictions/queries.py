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
    """Return the prediction of that id; with a `visitor`, only if it is theirs. Raises NotFound."""
    query = select(Prediction).where(Prediction.id == prediction_id)
    if visitor is not None:
        query = query.where(Prediction.visitor == visitor)
    prediction = db.session.scalar(query.execution_options(populate_existing=True))
    if prediction is None:
        raise NotFound
    return prediction


def page(wanted: Conditions, cursor: str | None, limit: int, *also: Deferred) -> Page:
    """The `limit` predictions that meet `wanted` after `cursor` (None: the newest), newest first.

    `also` names deferred columns that are loaded with them. Raises UserError for a bad cursor.
    """
    query = select(Prediction).where(*wanted).options(*map(undefer, also))
    if cursor is not None:
        after = tuple_(*_position(cursor))
        query = query.where(tuple_(Prediction.created_at, Prediction.id) < after)
    query = query.order_by(Prediction.created_at.desc(), Prediction.id.desc())
    found = db.session.scalars(query.limit(limit + 1)).all()
    items = found[:limit]
    return Page(items, encode_cursor(items[-1]) if len(found) > limit else None)


def batches(wanted: Conditions, *also: Deferred, size: int = 100) -> Iterator[Sequence[Prediction]]:
    """All predictions that meet `wanted`, newest first, at least one batch of them.

    Between two batches no connection and no transaction is held, however slowly they are taken.
    """
    cursor: str | None = None
    while True:
        found = page(wanted, cursor, size, *also)
        db.session.close()
        yield found.items
        cursor = found.next
        if cursor is None:
            return


def _position(cursor: str) -> tuple[ColumnElement[Any], ColumnElement[uuid.UUID]]:
    try:
        created_at, prediction_id = decode_cursor(cursor)
    except ValueError:
        raise UserError("invalid_cursor", "This page of the list doesn’t exist: the cursor is invalid.") from None
    return literal(created_at, UtcDateTime), literal(prediction_id, Uuid)
