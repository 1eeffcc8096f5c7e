"""Drift: whether the latest whole days (UTC) of the default model are like the reference days before them.

Shares come from the aggregates of all answers. Confidence and ink come from a random sample of the log,
because no aggregate holds them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import nan
from uuid import UUID

import numpy as np
from flask import current_app
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from mnistweb.database.models import DoubtTally, Prediction, Span, Tally
from mnistweb.extensions import db
from mnistweb.predictions.aggregates import NOT_A_DIGIT, UNLABELLED
from mnistweb.predictions.drift_statistics import DistributionDrift, ShareDrift, Verdict
from mnistweb.predictions.retention import start_of
from mnistweb.proportion import Proportion

EXTENSION = "mnistweb.drift"
LIFETIME = timedelta(hours=1)
"""Age at which a process renews a result: whole days change by feedback and deletions alone."""
SAMPLE = 2000
"""Drawings of each window, about, whose confidence and ink are compared."""
CONFIDENCE_BOUNDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
INK_BOUNDS = (0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25)
"""Between the bins of the mean of a 28x28 input, 0: no ink, 1: all ink."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Two windows of whole days: the reference from `first` on, the latest from `recent` to before `end`."""

    first: date
    recent: date
    end: date

    @classmethod
    def before(cls, today: date, recent_days: int, reference_days: int) -> "Windows":
        """Return the windows of so many days that end with the day before `today`."""
        recent = today - timedelta(recent_days)
        return cls(recent - timedelta(reference_days), recent, today)


@dataclass(frozen=True, slots=True)
class Day:
    """Counts of one day's answers."""

    start: date
    predictions: int
    refused: int
    doubtful: int
    labelled: int
    correct: int

    def share(self, measure: str) -> Proportion:
        """Return the share that a measure of SHARES is about."""
        if measure == "right":
            return Proportion(self.correct, self.labelled)
        return Proportion(self.refused if measure == "refused" else self.doubtful, self.predictions)


SHARES = ("refused", "doubtful", "right")
"""Shares of all answers that were "not a digit" or in doubt, and of the rated ones that were right."""


@dataclass(frozen=True)
class Drift:
    """The days of both windows, and the samples' bins."""

    model: str
    windows: Windows
    days: Sequence[Day]
    distributions: Mapping[str, DistributionDrift]  # of "confidence" and "ink"

    @cached_property
    def shares(self) -> dict[str, ShareDrift]:
        """The change of each of SHARES."""
        return {
            measure: ShareDrift(self._sum(measure, recent=False), self._sum(measure, recent=True))
            for measure in SHARES
        }

    @cached_property
    def measures(self) -> Mapping[str, ShareDrift | DistributionDrift]:
        """All changes by name."""
        return {**self.shares, **self.distributions}

    @property
    def changed(self) -> list[str]:
        """Names of the measures that have changed."""
        return [name for name, each in self.measures.items() if each.verdict is Verdict.CHANGED]

    def _sum(self, measure: str, *, recent: bool) -> Proportion:
        shares = [each.share(measure) for each in self.days if (each.start >= self.windows.recent) is recent]
        return Proportion(sum(each.part for each in shares), sum(each.total for each in shares))


def current_drift() -> Drift:
    """Return the drift of the current application's default model, as it was at most LIFETIME ago."""
    now, held = datetime.now(UTC), current_app.extensions.get(EXTENSION)
    if held is None or held[0] + LIFETIME <= now or held[1].windows.end != now.date():
        config = current_app.config
        windows = Windows.before(now.date(), config["DRIFT_DAYS"], config["DRIFT_REFERENCE_DAYS"])
        held = now, load_drift(db.session(), config["DEFAULT_MODEL"], windows)
        current_app.extensions[EXTENSION] = held
    drift: Drift = held[1]
    return drift


def sizes() -> Iterator[tuple[str, float, bool]]:
    """Yield the name of each measure, its change, NaN with too few drawings, and whether it is noticed."""
    for name, measure in current_drift().measures.items():
        few = measure.verdict is Verdict.FEW
        yield name, nan if few else measure.size, measure.verdict is Verdict.CHANGED


def load_drift(session: Session, model: str, windows: Windows) -> Drift:
    """Query the drift of a model."""
    days = _days(session, model, windows)
    number = dict.fromkeys((False, True), 0)
    for day in days:
        number[day.start >= windows.recent] += day.predictions
    before = _sample(session, model, windows.first, windows.recent, number[False])
    recent = _sample(session, model, windows.recent, windows.end, number[True])
    measures = map(DistributionDrift, before, recent)
    return Drift(model, windows, days, dict(zip(("confidence", "ink"), measures, strict=True)))


def _days(session: Session, model: str, windows: Windows) -> list[Day]:
    def total(condition: object) -> object:
        return func.sum(case((condition, Tally.count), else_=0))  # type: ignore[arg-type]

    labelled = Tally.label != UNLABELLED
    sums = (total(Tally.digit == NOT_A_DIGIT), total(labelled), total(Tally.digit == Tally.label))
    rows = session.execute(
        select(Tally.start, func.sum(Tally.count), *sums)  # type: ignore[call-overload]
        .where(Tally.span == Span.DAY, Tally.start >= windows.first, Tally.start < windows.end)
        .where(Tally.model == model)
        .group_by(Tally.start)
        .order_by(Tally.start)
    )
    doubtful = _doubtful(session, model, windows)
    found = []
    for start, *counts in rows:
        number, refused, rated, right = map(int, counts)
        # Never more than all: an older version that deletes a digit in doubt leaves it counted.
        found.append(Day(start, number, refused, min(doubtful.get(start, 0), number), rated, right))
    return found


def _doubtful(session: Session, model: str, windows: Windows) -> dict[date, int]:
    rows = session.execute(
        select(DoubtTally.start, func.sum(DoubtTally.count))
        .where(DoubtTally.span == Span.DAY, DoubtTally.start >= windows.first)
        .where(DoubtTally.start < windows.end, DoubtTally.model == model)
        .group_by(DoubtTally.start)
    )
    return {start: int(number) for start, number in rows}


def _sample(session: Session, model: str, first: date, end: date, number: int) -> tuple[list[int], list[int]]:
    """Count a random sample of about SAMPLE of a window's drawings in the bins of confidence and of ink.

    Ids are random: those below a share of all ids are a random sample, which an index finds.
    """
    chosen = [
        Prediction.model == model,
        Prediction.created_at >= start_of(first),
        Prediction.created_at < start_of(end),
    ]
    if number > SAMPLE:
        chosen.append(Prediction.id < UUID(int=(SAMPLE << 128) // number))
    rows = session.execute(select(Prediction.confidence, Prediction.input).where(*chosen)).all()
    inks = [np.frombuffer(image, np.uint8).mean() / 255 for _, image in rows if image]
    return _binned([confidence for confidence, _ in rows], CONFIDENCE_BOUNDS), _binned(inks, INK_BOUNDS)


def _binned(values: Sequence[float], bounds: Sequence[float]) -> list[int]:
    places = np.searchsorted(bounds, values, side="right")
    return [int(count) for count in np.bincount(places, minlength=len(bounds) + 1)]
