"""Records: the labelled drawings of the log, as data sets and retraining take them."""

import hmac
import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, Text, and_, cast, func, or_, select

from mnistweb.database.models import Decision, Prediction, Review
from mnistweb.datasets.batches import oldest_first
from mnistweb.extensions import db
from mnistweb.predictions.filters import Conditions, Filter
from mnistweb.predictions.strokes import Strokes
from mnistweb.recognition.types import SIDE

Labels = Literal["reviewed", "prompted", "feedback", "any"]
Split = Literal["train", "test"]
TEST_SHARE = 5
"""One visitor of this many is in the test split."""
BATCH = 500
"""Rows that are read together. Strokes of more than 16 KiB are read one by one."""
COLUMNS = (
    Prediction.id,
    Prediction.created_at,
    Prediction.visitor,
    Prediction.decision,
    Prediction.truth,
    Prediction.prompt,
    Prediction.label,
    Prediction.labelled_at,
    Prediction.input,
    Prediction.strokes_length,
    Prediction.short_strokes,
)

_REVIEWED = Prediction.decision.is_not(None)
_CLAIMED = Prediction.labelled_at.is_not(None)
# An author who says afterwards that it is another digit than the prompt has given feedback.
_AS_PROMPTED = and_(
    Prediction.prompt.is_not(None),
    or_(Prediction.labelled_at.is_(None), Prediction.label.is_not_distinct_from(Prediction.prompt)),
)
CONDITIONS: dict[Labels, ColumnElement[bool]] = {
    "reviewed": and_(_REVIEWED, Prediction.decision != Decision.REJECTED),
    "prompted": and_(~_REVIEWED, _AS_PROMPTED),
    "feedback": and_(~_REVIEWED, _CLAIMED, ~_AS_PROMPTED),
    "any": and_(
        Prediction.decision.is_distinct_from(Decision.REJECTED),
        or_(_REVIEWED, Prediction.prompt.is_not(None), _CLAIMED),
    ),
}
"""The condition of a drawing that has a label of this origin."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The drawings of a data set: by the origin of their labels, and by a filter of the history.

    Rejected drawings, hidden ones and those without a label are in none.
    """

    labels: Labels = "reviewed"
    filter: Filter = field(default_factory=Filter)

    def conditions(self) -> Conditions:
        """Return the conditions of a query."""
        visible = Prediction.review.is_distinct_from(Review.HIDDEN)
        return [CONDITIONS[self.labels], visible, *self.filter.conditions("")]


@dataclass(frozen=True, slots=True)
class Record:
    """A labelled drawing.

    `label` is a digit, or None for "not a digit". `origin` is "reviewed", "prompted" or "feedback": a
    review counts before a prompt, and a prompt before feedback that agrees. `writer` is a number of the
    visitor that names nobody, the same for all drawings of one reading. `split` is always the same for a
    visitor. `image` is what the model saw: 0 is the background.
    """

    id: uuid.UUID
    created_at: datetime
    writer: int
    label: int | None
    origin: str
    image: NDArray[np.uint8]  # [28, 28]
    strokes: Strokes | None
    split: Split


def read_records(
    selection: Selection = Selection(),
    key: bytes | None = None,
    *,
    strokes: bool = True,
) -> Iterator[Record]:
    """Yield the records of a selection, oldest first, up to now, in constant memory.

    No connection and no transaction is held between two batches. The same `key` gives a visitor the same
    number in another reading; by default nobody can compare two of them. Without `strokes` they are None,
    which takes less time.
    """
    secret = secrets.token_bytes() if key is None else key
    query = select(*(COLUMNS if strokes else COLUMNS[:-2])).where(
        *selection.conditions(), Prediction.created_at <= datetime.now(UTC)
    )
    for batch in oldest_first(query, BATCH):
        for row in batch:
            yield _record(row, secret, _strokes(row) if strokes else None)


def count_records(selection: Selection) -> int:
    """Count the records of a selection."""
    count = db.session.scalar(select(func.count()).select_from(Prediction).where(*selection.conditions()))
    db.session.close()
    return count or 0


def count_writers(selection: Selection) -> int:
    """Count the visitors whose drawings are in a selection."""
    count = db.session.scalar(
        select(func.count(Prediction.visitor.distinct())).where(*selection.conditions())
    )
    db.session.close()
    return count or 0


def writer_number(visitor: str, key: bytes) -> int:
    """Return the number of a visitor: 48 bits that tell nothing without its id and the key.

    An id has 128 random bits, so nobody finds it by trying, even with the key.
    """
    return int.from_bytes(hmac.digest(key, visitor.encode(), "sha256")[:6], "big")


def split_of(visitor: str) -> Split:
    """Return the split of all drawings of a visitor, the same in each data set."""
    return "test" if crc32(visitor.encode()) % TEST_SHARE == 0 else "train"


def _record(row: Row[Any], key: bytes, strokes: Strokes | None) -> Record:
    label, origin = _label(row)
    image = np.frombuffer(row.input, np.uint8).reshape(SIDE, SIDE).copy()  # writable, as torch wants it
    writer = writer_number(row.visitor, key)
    return Record(row.id, row.created_at, writer, label, origin, image, strokes, split_of(row.visitor))


def _label(row: Row[Any]) -> tuple[int | None, str]:
    if row.decision is not None:
        return row.truth, "reviewed"
    if row.prompt is not None and (row.labelled_at is None or row.label == row.prompt):
        return row.prompt, "prompted"
    return row.label, "feedback"


def _strokes(row: Row[Any]) -> Strokes | None:
    text: str | None = row.short_strokes
    if text is None and row.strokes_length is not None:
        text = db.session.scalar(select(cast(Prediction.strokes, Text)).where(Prediction.id == row.id))
        db.session.close()
    return None if text is None else json.loads(text)
