"""The hardest drawings of the latest day that has any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from mnistweb.database.models import Prediction, Span, Tally
from mnistweb.predictions import queries
from mnistweb.predictions.filter_fields import Verdict
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.pagination import Order
from mnistweb.predictions.wording import ALMOST_CERTAIN

MOST = 6
"""Drawings shown, at most: one row on a desktop, two on a phone."""


@dataclass(frozen=True, slots=True)
class Hardest:
    """Drawings of one day (UTC): read wrong, the surest first; then the least sure."""

    day: date
    predictions: Sequence[Prediction]


def hardest_drawings(session: Session) -> Hardest | None:
    """Query the hardest drawings of everyone; None if there are none on the latest day."""
    latest = select(Tally.start).where(Tally.span == Span.DAY, Tally.count > 0)
    day = session.scalar(latest.order_by(Tally.start.desc()).limit(1))
    if day is None:
        return None
    wrong = _first(Filter(verdict=Verdict.WRONG, first=day, last=day), Order.SUREST)
    unsure = _first(Filter(confidence_below=ALMOST_CERTAIN, first=day, last=day), Order.LEAST_SURE)
    found = {prediction.id: prediction for prediction in (*wrong, *unsure)}
    return Hardest(day, [*found.values()][:MOST]) if found else None


def _first(criteria: Filter, order: Order) -> Sequence[Prediction]:
    return queries.page(criteria.conditions(""), None, MOST, order=order).items
