"""Queries of the prediction log: one prediction, a page, or all of it in batches."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, Text, Uuid, cast, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, undefer

from mnistweb.database.models import Prediction, UtcDateTime
from mnistweb.extensions import db
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.pagination import Cursor, Order, Page, decode_cursor, encode_cursor
from mnistweb.recognition.errors import UserError

Conditions = Sequence[ColumnElement[bool]]
Deferred = InstrumentedAttribute[Any]
STROKES_TEXT = (Prediction.strokes_length, Prediction.short_strokes)
"""The columns that `strokes_text` needs."""


def get(prediction_id: uuid.UUID, visitor: str | None = None) -> Prediction:
    """Return a prediction by id; with a `visitor`, only if they are its author. Raises NotFound."""
    return find(prediction_id, *([] if visitor is None else [Prediction.visitor == visitor]))


def find(prediction_id: uuid.UUID, *conditions: ColumnElement[bool]) -> Prediction:
    """Return a prediction by id, if it meets the conditions. Raises NotFound."""
    query = select(Prediction).where(Prediction.id == prediction_id, *conditions)
    prediction = db.session.scalar(query.execution_options(populate_existing=True))
    if prediction is None:
        raise NotFound
    return prediction


def page(
    conditions: Conditions,
    cursor: str | None,
    limit: int,
    *undeferred: Deferred,
    order: Order = Order.NEWEST,
) -> Page:
    """Return `limit` predictions that meet `conditions`, in `order`, from `cursor` (None: the first ones).

    `undeferred` are deferred columns to load with them. Raises UserError (invalid_cursor).
    """
    query: Select[Any] = select(Prediction).where(*conditions).options(*map(undefer, undeferred))
    if cursor is None:
        return _first_page(query, limit, order)
    place = _place(cursor, order)
    rows = db.session.scalars(_ordered(query, order, place).limit(limit + 1)).all()
    items, more = rows[:limit], len(rows) > limit
    if not place.backwards:
        return Page(items, _next(items, more), encode_cursor(items[0], backwards=True) if items else None)
    if not more:  # the first page is shown in full
        return _first_page(query, limit, order)
    items = items[::-1]
    return Page(items, _next(items, True), encode_cursor(items[0], backwards=True))


def batches(
    conditions: Conditions, *undeferred: Deferred, order: Order = Order.NEWEST, size: int = 100
) -> Iterator[Sequence[Prediction]]:
    """Yield all predictions that meet `conditions` in batches, in `order`; at least one batch.

    No connection and no transaction is held between two batches, even for a slow consumer.
    """
    cursor: str | None = None
    while True:
        batch = page(conditions, cursor, size, *undeferred, order=order)
        db.session.close()
        yield batch.items
        cursor = batch.next
        if cursor is None:
            return


def strokes_text(prediction: Prediction) -> str | None:
    """Return the JSON of the strokes of a prediction that was loaded with STROKES_TEXT.

    Long ones are read now, so that a batch never holds more than those of one prediction.
    """
    if prediction.short_strokes is not None or prediction.strokes_length is None:
        return prediction.short_strokes
    text = stored_strokes(prediction.id)
    db.session.close()
    return text


def stored_strokes(prediction_id: uuid.UUID) -> str | None:
    """Return the JSON of the strokes of a prediction as it is stored, None without strokes."""
    text: str | None = db.session.scalar(
        select(cast(Prediction.strokes, Text)).where(Prediction.id == prediction_id)
    )
    return text


def has_strokes(prediction_id: uuid.UUID) -> bool:
    """Return whether a prediction has at least one stroke, without reading them."""
    has_points = cast(Prediction.strokes, Text).contains('"points"')
    return bool(db.session.scalar(select(has_points).where(Prediction.id == prediction_id)))


def _first_page(query: Select[Any], limit: int, order: Order) -> Page:
    rows = db.session.scalars(_ordered(query, order).limit(limit + 1)).all()
    return Page(rows[:limit], _next(rows[:limit], len(rows) > limit))


def _next(items: Sequence[Prediction], more: bool) -> str | None:
    return encode_cursor(items[-1]) if more else None


def _ordered(query: Select[Any], order: Order, place: Cursor | None = None) -> Select[Any]:
    columns: list[Any] = [Prediction.created_at, Prediction.id]
    if order.by_confidence:
        columns.insert(0, Prediction.confidence)
    descending = order.descending
    if place is not None:
        descending = order.descending != place.backwards
        values: list[Any] = [literal(place.created_at, UtcDateTime), literal(place.id, Uuid)]
        if order.by_confidence:
            values.insert(0, literal(place.confidence, Double))
        here, there = tuple_(*columns), tuple_(*values)
        query = query.where(here < there if descending else here > there)
    return query.order_by(*(column.desc() if descending else column.asc() for column in columns))


def _place(cursor: str, order: Order) -> Cursor:
    try:
        place = decode_cursor(cursor)
        if order.by_confidence and place.confidence is None:
            raise ValueError("a cursor of another order")
    except ValueError:
        raise UserError(
            "invalid_cursor", "This page of the list doesn’t exist: the cursor is invalid."
        ) from None
    return place
