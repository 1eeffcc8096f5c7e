"""The hardest drawings of the latest day that has any."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from mnistweb.database.models import Prediction
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


def hardest_drawings(visible: Callable[[Filter], queries.Conditions]) -> Hardest | None:
    """Query the hardest drawings of the latest day; None if there are none.

    `visible` returns the conditions of a filter's drawings that the visitor may see.
    """
    latest = queries.page(visible(Filter()), None, 1).items
    if not latest:
        return None
    day = latest[0].created_at.date()
    wrong = Filter(verdict=Verdict.WRONG, first=day, last=day)
    unsure = Filter(confidence_below=ALMOST_CERTAIN, first=day, last=day)
    hardest = (
        *queries.page(visible(wrong), None, MOST, order=Order.SUREST).items,
        *queries.page(visible(unsure), None, MOST, order=Order.LEAST_SURE).items,
    )
    found = {prediction.id: prediction for prediction in hardest}
    return Hardest(day, [*found.values()][:MOST]) if found else None
