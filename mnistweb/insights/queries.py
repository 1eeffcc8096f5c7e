"""What the feedback says of the networks: figures of a period, read from the tallies."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from mnistweb.database.models import ConfidenceTally, Span, Tally
from mnistweb.predictions.aggregates import NONE, UNLABELLED
from mnistweb.proportion import Proportion

DIGITS = (*range(10), NONE)
PERIODS = {30: "Last 30 days", 365: "Last 12 months", None: "All time"}
# What a point of a chart stands for: the date that it begins on, and days that lead from there into the next.
UNITS: dict[str, tuple[Callable[[date], date], int]] = {
    "day": (lambda day: day, 1),
    "week": (lambda day: day - timedelta(day.weekday()), 7),
    "month": (lambda day: day.replace(day=1), 31),
    "year": (lambda day: day.replace(month=1, day=1), 366),
}


@dataclass(slots=True)
class Period:
    """The predictions of a day, week, month or year that begins at `start` (UTC)."""

    start: date
    predictions: int = 0
    labelled: int = 0
    correct: int = 0
    refused: int = 0  # answered "not a digit"
    refused_labelled: int = 0
    refused_correct: int = 0

    def add(self, other: "Period") -> None:
        """Count those of another stretch too."""
        for field in fields(self)[1:]:
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def right(self) -> Proportion:
        """How many with feedback were right."""
        return Proportion(self.correct, self.labelled)

    @property
    def refusals(self) -> Proportion:
        """How many were answered with "not a digit"."""
        return Proportion(self.refused, self.predictions)

    @property
    def right_refusals(self) -> Proportion:
        """How many of those with feedback were no digit."""
        return Proportion(self.refused_correct, self.refused_labelled)

    @property
    def judged_refusals(self) -> dict[str, int]:
        """Answers of "not a digit" by their feedback: right, wrong, or open for want of it."""
        wrong = self.refused_labelled - self.refused_correct
        return {"right": self.refused_correct, "wrong": wrong, "open": self.refused - self.refused_labelled}


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Answers of which the network was about equally sure, with feedback."""

    tenth: int  # 9: 0.9..1
    right: Proportion
    confidence: float  # the mean, 0..1


@dataclass(frozen=True)
class Insights:
    """The figures of a period. `readings` counts by network, digit and label, coded as in the tallies."""

    unit: str
    stretches: Sequence[Period]
    readings: Counter[tuple[str, int, int]]
    tenths: Sequence[ConfidenceBin]

    @cached_property
    def whole(self) -> Period:
        """The period as one."""
        whole = Period(self.stretches[0].start if self.stretches else date.min)
        for stretch in self.stretches:
            whole.add(stretch)
        return whole

    @cached_property
    def matrix(self) -> dict[int, dict[int, int]]:
        """How often a drawing of the first digit was read as the second, NONE included."""
        matrix = {label: dict.fromkeys(DIGITS, 0) for label in DIGITS}
        for (_, digit, label), count in self.readings.items():
            if label != UNLABELLED:
                matrix[label][digit] += count
        return matrix

    def digits(self) -> dict[int, Proportion]:
        """How often each digit was read right, NONE included."""
        return {label: Proportion(row[label], sum(row.values())) for label, row in self.matrix.items()}

    def networks(self) -> dict[str, tuple[int, Proportion]]:
        """For each network its predictions, and how many with feedback were right; most feedback first."""
        found: dict[str, tuple[int, Proportion]] = {}
        for model in {model for model, _, _ in self.readings}:
            counts = {key[1:]: count for key, count in self.readings.items() if key[0] == model}
            labelled = sum(count for (_, label), count in counts.items() if label != UNLABELLED)
            right = sum(count for (digit, label), count in counts.items() if digit == label)
            found[model] = sum(counts.values()), Proportion(right, labelled)
        return dict(sorted(found.items(), key=lambda each: (-each[1][1].total, each[0])))


def gather(session: Session, days: int | None, today: date) -> Insights:
    """The figures of the last `days`, a key of PERIODS, up to `today` (UTC)."""
    if session.get_bind().dialect.name == "postgresql":
        # Many rows of one page are read at once here, other than on the walks through the log.
        session.execute(text("SET LOCAL enable_bitmapscan = on"))
    first = session.scalar(select(func.min(Tally.start)).where(Tally.span == Span.DAY)) or today
    unit, since = _unit(first, days, today)
    span = Span.DAY if unit in ("day", "week") else Span.MONTH
    of_tally = Tally.span == span, Tally.start >= since
    reading = Tally.model, Tally.digit, Tally.label
    rows = session.execute(select(*reading, func.sum(Tally.count)).where(*of_tally).group_by(*reading))
    readings = Counter({(model, digit, label): int(count) for model, digit, label, count in rows if count})
    return Insights(unit, _stretches(session, of_tally, unit, today), readings, _tenths(session, span, since))


def _unit(first: date, days: int | None, today: date) -> tuple[str, date]:
    # From some length on, months are counted in place of days, which keeps the rows to be read few.
    since = first if days is None else max(first, today - timedelta(days - 1))
    length = (today - since).days + 1
    if length <= 45:
        return "day", since
    if length <= 100:
        return "week", since
    if days is not None:
        since = max(first, today.replace(day=1) - timedelta(330))  # in the eleventh month before
    return "month" if length <= 6 * 366 else "year", since.replace(day=1)


def _stretches(session: Session, where: Sequence[Any], unit: str, today: date) -> list[Period]:
    refused, labelled = Tally.digit == NONE, Tally.label != UNLABELLED
    correct = Tally.digit == Tally.label
    sums = (
        func.sum(case((condition, Tally.count), else_=0)) if condition is not None else func.sum(Tally.count)
        for condition in (None, labelled, correct, refused, refused & labelled, refused & correct)
    )
    rows = session.execute(
        select(Tally.start, *sums).where(*where).group_by(Tally.start).order_by(Tally.start)
    )
    found = [Period(start, *map(int, counts)) for start, *counts in rows if any(counts)]
    if not found:
        return []
    begin, step = UNITS[unit]
    last = max(today, found[-1].start)
    stretches = {start: Period(start) for start in _steps(begin, step, found[0].start, last)}
    for stretch in found:
        stretches[begin(stretch.start)].add(stretch)
    return list(stretches.values())


def _steps(begin: Callable[[date], date], step: int, first: date, last: date) -> Iterator[date]:
    start = begin(first)
    while start <= last:
        yield start
        start = begin(start + timedelta(step))


def _tenths(session: Session, span: Span, since: date) -> list[ConfidenceBin]:
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
        ConfidenceBin(tenth, Proportion(int(right), int(count)), min(max(confidence / int(count), 0.0), 1.0))
        for tenth, right, count, confidence in rows
        if count
    ]
