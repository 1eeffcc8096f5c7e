"""Statistics of the drawings that could be in a data set: labels, origins, agreement, and what is alike."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Subquery, case, func, select

from mnistweb.database.models import Decision, Prediction, Review
from mnistweb.datasets.formats.writer import CLASSES
from mnistweb.datasets.records import CONDITIONS, Labels, Selection, count_writers, read_records
from mnistweb.extensions import db
from mnistweb.proportion import Proportion
from mnistweb.recognition.types import SIDE

POOL, LEVELS = 4, 8
"""Images are alike if their means of 4 x 4 pixels are, in 8 levels of grey."""
ORIGINS: tuple[Labels, ...] = ("reviewed", "prompted", "feedback")
STEP = 200


@dataclass(slots=True)
class Statistics:
    """Numbers of drawings.

    `origins` also counts those in no data set: "rejected", "hidden" and "unlabelled". `labels` counts by
    label and origin. `read_right` has the answers that agree with the label, by its origin. `claimed_right`
    has the reviews that agree with the author. `alike` are labelled drawings that look like an earlier one.
    """

    drawings: int = 0
    visitors: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in CLASSES})
    digits: Counter[str] = field(default_factory=Counter)
    read_right: dict[str, Proportion] = field(default_factory=dict)
    claimed_right: Proportion = field(default_factory=lambda: Proportion(0, 0))
    splits: Counter[str] = field(default_factory=Counter)
    writers: int = 0
    alike: int = 0


def measure(advance: Callable[[int], None]) -> Statistics:
    """Compute the statistics of the log; `advance` is called for the drawings whose images are read."""
    found = Statistics()
    right: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    log = _log()
    query = select(log, func.count().label("drawings")).group_by(*log.c)
    for row in db.session.execute(query):
        name = CLASSES[-1 if row.label is None else row.label]
        found.drawings += row.drawings
        found.origins[row.origin] += row.drawings
        found.digits[CLASSES[-1 if row.digit is None else row.digit]] += row.drawings
        if row.origin in ORIGINS:
            found.labels[name][row.origin] += row.drawings
            right[row.origin][0] += row.drawings * (row.digit == row.label)
            right[row.origin][1] += row.drawings
    found.read_right = {origin: Proportion(*right[origin]) for origin in ORIGINS if origin in right}
    found.claimed_right = _claimed_right()
    found.visitors = db.session.scalar(select(func.count(Prediction.visitor.distinct()))) or 0
    found.writers = count_writers(Selection("any"))
    _measure_images(found, advance)
    return found


def signature(image: NDArray[np.uint8]) -> int:
    """Return 64 bits that are the same for images that look alike."""
    places = SIDE // POOL
    means = image.reshape(places, POOL, places, POOL).mean((1, 3))
    levels = (means * (LEVELS / 256)).astype(np.uint8)
    return int.from_bytes(blake2b(levels.tobytes(), digest_size=8).digest(), "big")


def _measure_images(found: Statistics, advance: Callable[[int], None]) -> None:
    """Count splits and what is alike. It keeps eight bytes of each drawing."""
    signatures = _Numbers()
    for number, record in enumerate(read_records(Selection("any"), strokes=False), 1):
        signatures.add(signature(record.image))
        found.splits[record.split] += 1
        if number % STEP == 0:
            advance(STEP)
    found.alike = len(signatures) - signatures.distinct()


class _Numbers:
    """Many numbers of 64 bits, in an array that grows."""

    def __init__(self) -> None:
        self._numbers = np.empty(1024, np.uint64)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, number: int) -> None:
        if self._length == len(self._numbers):
            self._numbers = np.resize(self._numbers, 2 * self._length)
        self._numbers[self._length] = number
        self._length += 1

    def distinct(self) -> int:
        return len(np.unique(self._numbers[: self._length]))


def _log() -> Subquery:
    origin = case(
        (Prediction.review == Review.HIDDEN, "hidden"),
        (Prediction.decision == Decision.REJECTED, "rejected"),
        *((CONDITIONS[origin], origin) for origin in ORIGINS),
        else_="unlabelled",
    )
    label = case(
        (Prediction.decision.is_not(None), Prediction.truth),
        (CONDITIONS["prompted"], Prediction.prompt),
        else_=Prediction.label,
    )
    return select(origin.label("origin"), label.label("label"), Prediction.digit).subquery()


def _claimed_right() -> Proportion:
    agree = Prediction.label.is_not_distinct_from(Prediction.truth)
    query = select(func.coalesce(func.sum(case((agree, 1), else_=0)), 0), func.count())
    reviewed = (CONDITIONS["reviewed"], Prediction.labelled_at.is_not(None))
    return Proportion(*db.session.execute(query.where(*reviewed)).one())


def as_json(found: Statistics) -> dict[str, Any]:
    """Return the statistics as a JSON object."""
    return {
        "drawings": found.drawings,
        "visitors": found.visitors,
        "origins": dict(found.origins),
        "labels": {name: dict(counts) for name, counts in found.labels.items()},
        "digits": {name: found.digits[name] for name in CLASSES},
        "read_right": {name: _fraction(each) for name, each in found.read_right.items()},
        "claimed_right": _fraction(found.claimed_right),
        "splits": dict(found.splits),
        "writers": found.writers,
        "alike": found.alike,
    }


def _fraction(proportion: Proportion) -> dict[str, Any]:
    return {"right": proportion.part, "of": proportion.total}
