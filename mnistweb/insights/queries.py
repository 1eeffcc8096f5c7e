"""Queries of the insights: accuracy, confusion and calibration of a time range, from the aggregates."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import case, func, select, text, true
from sqlalchemy.orm import Session

from mnistweb.database.models import ConfidenceTally, DoubtTally, Span, Tally
from mnistweb.predictions.aggregates import NOT_A_DIGIT, UNLABELLED
from mnistweb.proportion import Proportion
from mnistweb.recognition.boundaries import Certainty

DIGITS = (*range(10), NOT_A_DIGIT)
TIME_RANGES = {30: "Last 30 days", 365: "Last 12 months", None: "All time"}
# For each unit of a chart: the first day of the unit around a day, and days from there into the next unit.
UNITS: dict[str, tuple[Callable[[date], date], int]] = {
    "day": (lambda day: day, 1),
    "week": (lambda day: day - timedelta(day.weekday()), 7),
    "month": (lambda day: day.replace(day=1), 31),
    "year": (lambda day: day.replace(month=1, day=1), 366),
}


@dataclass(slots=True)
class Period:
    """Prediction counts of the day, week, month or year that begins at `start` (UTC)."""

    start: date
    predictions: int = 0
    labelled: int = 0
    correct: int = 0
    refused: int = 0  # answered "not a digit"
    refused_labelled: int = 0
    refused_correct: int = 0

    def add(self, other: "Period") -> None:
        """Add the counts of another period."""
        for field in fields(self)[1:]:
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def accuracy(self) -> Proportion:
        """Proportion of correct predictions among those with feedback."""
        return Proportion(self.correct, self.labelled)

    @property
    def refusal_rate(self) -> Proportion:
        """Proportion of predictions that were answered with "not a digit"."""
        return Proportion(self.refused, self.predictions)

    @property
    def refusal_accuracy(self) -> Proportion:
        """Proportion of refusals with feedback that were no digit."""
        return Proportion(self.refused_correct, self.refused_labelled)

    @property
    def refusals_by_feedback(self) -> dict[str, int]:
        """Counts of refusals by feedback: "right", "wrong", or "open" without feedback."""
        wrong = self.refused_labelled - self.refused_correct
        return {"right": self.refused_correct, "wrong": wrong, "open": self.refused - self.refused_labelled}


@dataclass(frozen=True, slots=True)
class Answers:
    """Counts of some answers: all, those with feedback, and those that were right."""

    predictions: int
    labelled: int
    correct: int

    @property
    def accuracy(self) -> Proportion:
        """Proportion of right answers among those with feedback."""
        return Proportion(self.correct, self.labelled)


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Predictions with feedback whose confidence is in one of ten equal bins, for a reliability diagram."""

    number: int  # 0..9; bin 9 holds 0.9..1
    accuracy: Proportion
    confidence: float  # the mean, 0..1


@dataclass(frozen=True)
class Insights:
    """Counts of a time range; `counts` is by model, digit and label, encoded as in the aggregates.

    `first` is the first day of the range, None for all time. `doubtful` are the digits in doubt.
    """

    unit: str
    first: date | None
    periods: Sequence[Period]
    counts: Counter[tuple[str, int, int]]
    doubtful: Answers
    confidence_bins: Sequence[ConfidenceBin]

    def by_certainty(self) -> dict[Certainty, Answers]:
        """Return the answers of each certainty."""
        total, doubtful = self.total, self.doubtful
        refused = Answers(total.refused, total.refused_labelled, total.refused_correct)
        # Never below zero: an older version of the site that deletes a digit in doubt leaves it counted.
        labelled = max(total.labelled - refused.labelled - doubtful.labelled, 0)
        sure = Answers(
            max(total.predictions - refused.predictions - doubtful.predictions, 0),
            labelled,
            min(max(total.correct - refused.correct - doubtful.correct, 0), labelled),
        )
        return {Certainty.SURE: sure, Certainty.DOUBTFUL: doubtful, Certainty.NOT_A_DIGIT: refused}

    @cached_property
    def total(self) -> Period:
        """Sum of all periods."""
        total = Period(self.periods[0].start if self.periods else date.min)
        for period in self.periods:
            total.add(period)
        return total

    @cached_property
    def confusion_matrix(self) -> dict[int, dict[int, int]]:
        """Counts by label, then by predicted digit; both include NOT_A_DIGIT."""
        matrix = {label: dict.fromkeys(DIGITS, 0) for label in DIGITS}
        for (_, digit, label), count in self.counts.items():
            if label != UNLABELLED:
                matrix[label][digit] += count
        return matrix

    def recall_by_digit(self) -> dict[int, Proportion]:
        """Return the recall of each label, NOT_A_DIGIT included: the proportion that was read as it."""
        matrix = self.confusion_matrix
        return {label: Proportion(row[label], sum(row.values())) for label, row in matrix.items()}

    def models(self) -> dict[str, tuple[int, Proportion]]:
        """Return each model's number of predictions and its accuracy, by name; most feedback first."""
        models: dict[str, tuple[int, Proportion]] = {}
        for model in {model for model, _, _ in self.counts}:
            counts = {key[1:]: count for key, count in self.counts.items() if key[0] == model}
            labelled = sum(count for (_, label), count in counts.items() if label != UNLABELLED)
            correct = sum(count for (digit, label), count in counts.items() if digit == label)
            models[model] = sum(counts.values()), Proportion(correct, labelled)
        return dict(sorted(models.items(), key=lambda each: (-each[1][1].total, each[0])))


def last_day(start: date, unit: str) -> date:
    """Return the last day of the day, week, month or year that begins at `start`."""
    first_day, step = UNITS[unit]
    return first_day(start + timedelta(step)) - timedelta(1)


def load_insights(session: Session, days: int | None, today: date) -> Insights:
    """Query the insights of the last `days`, a key of TIME_RANGES, up to `today` (UTC)."""
    if session.get_bind().dialect.name == "postgresql":
        # Bitmap scans are off for the queries of the log, but they suit these, which read many adjacent rows.
        session.execute(text("SET LOCAL enable_bitmapscan = on"))
    first = session.scalar(select(func.min(Tally.start)).where(Tally.span == Span.DAY)) or today
    unit, since = _unit(first, days, today)
    span = Span.DAY if unit in ("day", "week") else Span.MONTH
    conditions = Tally.span == span, Tally.start >= since
    keys = Tally.model, Tally.digit, Tally.label
    rows = session.execute(select(*keys, func.sum(Tally.count)).where(*conditions).group_by(*keys))
    return Insights(
        unit=unit,
        first=None if days is None else since,
        periods=_periods(session, conditions, unit, today),
        counts=Counter({(model, digit, label): int(count) for model, digit, label, count in rows if count}),
        doubtful=_doubtful(session, span, since),
        confidence_bins=_confidence_bins(session, span, since),
    )


def _unit(first: date, days: int | None, today: date) -> tuple[str, date]:
    # Long ranges use the monthly aggregates, which keeps the number of rows small.
    since = first if days is None else max(first, today - timedelta(days - 1))
    length = (today - since).days + 1
    if length <= 45:
        return "day", since
    if length <= 100:
        return "week", since
    if days is not None:
        since = max(first, today.replace(day=1) - timedelta(330))  # within the eleventh month before this one
    return "month" if length <= 6 * 366 else "year", since.replace(day=1)


def _periods(session: Session, conditions: Sequence[Any], unit: str, today: date) -> list[Period]:
    refused, labelled = Tally.digit == NOT_A_DIGIT, Tally.label != UNLABELLED
    correct = Tally.digit == Tally.label
    sums = (
        func.sum(case((condition, Tally.count), else_=0)) if condition is not None else func.sum(Tally.count)
        for condition in (None, labelled, correct, refused, refused & labelled, refused & correct)
    )
    rows = session.execute(
        select(Tally.start, *sums).where(*conditions).group_by(Tally.start).order_by(Tally.start)
    )
    counted = [Period(start, *map(int, counts)) for start, *counts in rows if any(counts)]
    if not counted:
        return []
    first_day, step = UNITS[unit]
    last = max(today, counted[-1].start)  # a later start is possible: clocks differ
    periods = {start: Period(start) for start in _starts(first_day, step, counted[0].start, last)}
    for period in counted:
        periods[first_day(period.start)].add(period)
    return list(periods.values())


def _starts(first_day: Callable[[date], date], step: int, first: date, last: date) -> Iterator[date]:
    start = first_day(first)
    while start <= last:
        yield start
        start = first_day(start + timedelta(step))


def _doubtful(session: Session, span: Span, since: date) -> Answers:
    labelled, correct = DoubtTally.label != UNLABELLED, DoubtTally.label == DoubtTally.digit
    sums = (
        func.coalesce(func.sum(case((condition, DoubtTally.count), else_=0)), 0)
        for condition in (true(), labelled, correct)
    )
    counts = session.execute(select(*sums).where(DoubtTally.span == span, DoubtTally.start >= since)).one()
    return Answers(*map(int, counts))


def _confidence_bins(session: Session, span: Span, since: date) -> list[ConfidenceBin]:
    counts = ConfidenceTally.count
    rows = session.execute(
        select(
            ConfidenceTally.tenth,
            func.sum(case((ConfidenceTally.correct, counts), else_=0)),
            func.sum(counts),
            func.sum(ConfidenceTally.confidence),
        )
        .where(ConfidenceTally.span == span, ConfidenceTally.start >= since)
        .group_by(ConfidenceTally.tenth)
        .order_by(ConfidenceTally.tenth)
    )
    return [
        ConfidenceBin(number, Proportion(int(correct), int(count)), min(max(total / int(count), 0.0), 1.0))
        for number, correct, count, total in rows
        if count
    ]
