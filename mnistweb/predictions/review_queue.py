"""The review queue: drawings without a decision, the most doubtful first, each in one part of it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, func, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.counts import Count
from mnistweb.predictions.filters import Conditions
from mnistweb.predictions.pagination import Order
from mnistweb.predictions.trust import distrusted_visitors
from mnistweb.recognition.errors import UserError

MAX_COUNTED = 1000
"""Drawings of a part that are counted, at most."""


class Part(enum.StrEnum):
    """A part of the queue: why its drawings wait. The parts are in the order of doubt."""

    DISTRUSTED = "distrusted"  # a claim of a visitor whose claims were mostly contradicted
    CLAIMS = "claims"  # the author says something else than the model
    PROMPTED = "prompted"  # the model reads something else than the author was asked for
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    REST = "rest"

    @property
    def order(self) -> Order:
        """The order within the part: a sure answer is the stranger where it is contradicted."""
        if self in (Part.DOUBTFUL, Part.REFUSED):
            return Order.LEAST_SURE
        return Order.NEWEST if self is Part.REST else Order.SUREST


# The same text as in the partial indexes, because databases match it literally.
UNDECIDED = Prediction.decision.is_(None)
CLAIMED = Prediction.labelled_at.is_not(None)
CLAIMS = [CLAIMED, Prediction.digit.is_distinct_from(Prediction.label)]
PROMPTED = [Prediction.prompt.is_not(None), Prediction.digit.is_distinct_from(Prediction.prompt)]
DOUBTFUL = Prediction.doubtful == true()
REFUSED = Prediction.digit.is_(None)
PARTS: dict[Part, Conditions] = {
    Part.DISTRUSTED: [CLAIMED],
    Part.CLAIMS: CLAIMS,
    Part.PROMPTED: [*PROMPTED, not_(and_(*CLAIMS))],
    Part.DOUBTFUL: [DOUBTFUL, not_(or_(and_(*CLAIMS), and_(*PROMPTED)))],
    Part.REFUSED: [REFUSED, not_(or_(and_(*CLAIMS), and_(*PROMPTED)))],
    Part.REST: [not_(or_(DOUBTFUL, REFUSED, and_(*CLAIMS), and_(*PROMPTED)))],
}


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Drawings of the queue with their parts, and the cursor of the next ones, if any."""

    items: Sequence[tuple[Part, Prediction]]
    next: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """The drawings that wait for a review and meet `conditions`, or one part of them."""

    part: Part | None = None
    conditions: Conditions = field(default_factory=list)
    distrusted: Sequence[str] = field(default_factory=distrusted_visitors)

    def page(self, cursor: str | None, limit: int, *undeferred: InstrumentedAttribute[bytes]) -> QueuePage:
        """Return `limit` drawings from `cursor` on (None: the first ones). Raises UserError."""
        part, place = self._place(cursor)
        parts = [self.part] if self.part else list(Part)[list(Part).index(part) :]
        items: list[tuple[Part, Prediction]] = []
        for each in parts:
            found = queries.page(
                self._conditions(each), place, limit - len(items), *undeferred, order=each.order
            )
            items += [(each, prediction) for prediction in found.items]
            place = None
            if found.next:
                return QueuePage(items, f"{each}.{found.next}")
            if len(items) == limit and each is not parts[-1]:
                return QueuePage(items, f"{parts[parts.index(each) + 1]}.")
        return QueuePage(items, None)

    def counts(self) -> dict[Part, Count]:
        """Count the drawings of each part, up to MAX_COUNTED."""
        return {each: self._count(each) for each in Part}

    def _count(self, part: Part) -> Count:
        if part is Part.DISTRUSTED and not self.distrusted:
            return Count(0)
        # Ordered, so that the index of the part is walked: PostgreSQL overestimates how many rows match.
        column = Prediction.confidence if part.order.by_confidence else Prediction.created_at
        rows = select(Prediction.id).where(*self._conditions(part)).order_by(column.desc())
        return _count_rows(rows)

    def _conditions(self, part: Part) -> Conditions:
        conditions = [UNDECIDED, *PARTS[part], *self.conditions]
        by_distrusted = Prediction.visitor.in_(self.distrusted)
        if part is Part.DISTRUSTED:
            return [*conditions, by_distrusted]
        return [*conditions, not_(and_(CLAIMED, by_distrusted))] if self.distrusted else conditions

    def _place(self, cursor: str | None) -> tuple[Part, str | None]:
        if cursor is None:
            return self.part or Part.DISTRUSTED, None
        part, _, place = cursor.partition(".")
        if part not in list(Part) or self.part not in (None, part):
            raise UserError("invalid_cursor", "This page of the queue doesn’t exist.")
        return Part(part), place or None


def reviewed_count() -> Count:
    """Count the drawings that were reviewed, up to ten times MAX_COUNTED."""
    return _count_rows(select(Prediction.decision).where(Prediction.decision.is_not(None)), 10 * MAX_COUNTED)


def _count_rows(query: Select[Any], most: int = MAX_COUNTED) -> Count:
    rows = query.limit(most + 1).subquery()
    number = db.session.scalar(select(func.count()).select_from(rows)) or 0
    return Count(min(number, most), exact=number <= most)
