"""The log of decisions, newest first, of all reviewers or of one."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Tuple, Uuid, false, func, literal, select, tuple_

from mnistweb.database.models import Prediction, ReviewDecision, UtcDateTime
from mnistweb.extensions import db
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.review_changes import Change, State
from mnistweb.predictions.reviewed_labels import label_of
from mnistweb.recognition.errors import UserError

BETWEEN = "~"
MAX_REVIEWERS = 50


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision and its drawing."""

    decision: ReviewDecision
    prediction: Prediction
    stands: bool
    """True if it is the last decision on the drawing that was not taken back."""

    @property
    def change(self) -> Change:
        """States of the drawing before and after the decision."""
        return Change.of(self.decision)

    @property
    def in_force(self) -> bool:
        """True if it stands, the drawing still has its label, and taking it back changes something."""
        present = State(label_of(self.prediction), self.prediction.review)
        return self.stands and self.change.undone(present) not in (None, present)


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log, with the cursor of the next one, if any."""

    items: Sequence[LoggedDecision]
    next: str | None


def page(reviewer: str | None, cursor: str | None, limit: int) -> LogPage:
    """Return `limit` decisions from `cursor` on (None: the newest). Raises UserError (invalid_cursor)."""
    query = select(ReviewDecision, Prediction).join(Prediction, Prediction.id == ReviewDecision.prediction_id)
    if reviewer is not None:
        # PostgreSQL takes no text with a null character. Names are printable.
        query = query.where(ReviewDecision.reviewer == reviewer if reviewer.isprintable() else false())
    place = tuple_(ReviewDecision.decided_at, ReviewDecision.id)
    if cursor is not None:
        query = query.where(place < _place(cursor))
    query = query.order_by(ReviewDecision.decided_at.desc(), ReviewDecision.id.desc())
    rows = db.session.execute(query.limit(limit + 1)).all()
    standing = _standing({prediction.id for _, prediction in rows[:limit]})
    items = [LoggedDecision(decision, drawing, decision.id in standing) for decision, drawing in rows[:limit]]
    return LogPage(items, _cursor(items[-1].decision) if len(rows) > limit else None)


def get(decision_id: uuid.UUID) -> ReviewDecision:
    """Return a decision. Raises NotFound."""
    decision = db.session.get(ReviewDecision, decision_id)
    if decision is None:
        raise NotFound
    return decision


def reviewers() -> Sequence[str]:
    """Return the names of those who made decisions, up to MAX_REVIEWERS, in alphabetical order."""
    # From one name to the next in the index: DISTINCT would read all decisions.
    names: list[str] = []
    query = select(func.min(ReviewDecision.reviewer))
    while name := db.session.scalar(query.where(ReviewDecision.reviewer > names[-1]) if names else query):
        names.append(name)
        if len(names) == MAX_REVIEWERS:
            break
    return names


def _standing(drawings: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return the ids of the decisions on these drawings that can be taken back next."""
    query = select(ReviewDecision).where(ReviewDecision.prediction_id.in_(drawings))
    made: defaultdict[uuid.UUID, list[ReviewDecision]] = defaultdict(list)
    for each in db.session.scalars(query.order_by(ReviewDecision.prediction_id, ReviewDecision.decided_at)):
        earlier = made[each.prediction_id]
        if earlier and Change.of(each).takes_back(Change.of(earlier[-1])):
            earlier.pop()
        else:
            earlier.append(each)
    return {
        decisions[-1].id for decisions in made.values() if decisions and decisions[-1].decision is not None
    }


def _cursor(last: ReviewDecision) -> str:
    return f"{last.decided_at.isoformat()}{BETWEEN}{last.id}"


def _place(cursor: str) -> Tuple:
    moment, _, decision_id = cursor.partition(BETWEEN)
    try:
        return tuple_(
            literal(datetime.fromisoformat(moment).astimezone(), UtcDateTime),
            literal(uuid.UUID(decision_id), Uuid),
        )
    except (ValueError, OverflowError):
        raise UserError("invalid_cursor", "This page of the decisions doesn’t exist.") from None
