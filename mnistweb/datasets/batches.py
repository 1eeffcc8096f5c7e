"""Batches of a query, oldest first, without a connection or a transaction between two of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, Uuid, literal, tuple_

from mnistweb.database.models import Prediction, UtcDateTime
from mnistweb.extensions import db


def oldest_first(query: Select[Any], size: int) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows of a query of predictions, among them `created_at` and `id`; at least one batch."""
    place = tuple_(Prediction.created_at, Prediction.id)
    query = query.order_by(Prediction.created_at, Prediction.id).limit(size)
    following = query
    while True:
        rows = db.session.execute(following).all()
        db.session.close()
        yield rows
        if len(rows) < size:
            return
        last = tuple_(literal(rows[-1].created_at, UtcDateTime), literal(rows[-1].id, Uuid))
        following = query.where(place > last)
