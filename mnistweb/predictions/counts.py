"""Counts of the predictions that match a filter: exact from the aggregates, or bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from mnistweb.database.models import DoubtTally, Prediction, Span, Tally
from mnistweb.extensions import db
from mnistweb.predictions.aggregates import NOT_A_DIGIT, UNLABELLED
from mnistweb.predictions.filter_fields import NONE, Verdict
from mnistweb.predictions.filters import Conditions, Filter
from mnistweb.predictions.visibility import APPROVED, HIDDEN, Audience
from mnistweb.recognition.boundaries import Certainty

Counts = type[Tally | DoubtTally]
MAX_COUNTED = 10_000
"""Entries of an index that a count reads, at most, where the aggregates do not have it."""
MAX_CHECKED = 2_000
"""Rows of the log that it reads, at most, where the index does not answer all criteria."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of predictions; unless it is `exact`, there may be more of them."""

    number: int
    exact: bool = True

    def __str__(self) -> str:
        """Write it for a page: "12", or "at least 10,000"."""
        return f"{'' if self.exact else 'at least '}{self.number:,}"


def count(criteria: Filter, visitor: str, audience: Audience = Audience.EVERYONE) -> Count:
    """Count the predictions that match a filter and that `visitor`, who asks, finds in a list."""
    if criteria.is_contradictory():
        return Count(0)
    if criteria.mine:
        return _count_in_log(criteria, visitor)
    if audience is Audience.REVIEWED:
        return _count_in_log(criteria, visitor, APPROVED)
    found = (
        _count_in_log(criteria, visitor)
        if criteria.source is not None or criteria.prompt is not None or criteria.confidence_conditions()
        else Count(_count_in_aggregates(criteria))
    )
    return replace(found, number=max(found.number - _count_hidden(criteria, visitor), 0))


def _count_hidden(criteria: Filter, visitor: str) -> int:
    # They are few, and an index holds them alone.
    hidden = select(func.count()).where(HIDDEN, Prediction.visitor != visitor, *criteria.conditions(visitor))
    return db.session.scalar(hidden) or 0


def _count_in_aggregates(criteria: Filter) -> int:
    if criteria.certainty is Certainty.DOUBTFUL:
        return _sum_of(DoubtTally, criteria)
    if criteria.certainty is Certainty.SURE:
        return max(_sum_of(Tally, criteria, Tally.digit != NOT_A_DIGIT) - _sum_of(DoubtTally, criteria), 0)
    return _sum_of(Tally, criteria)


def _sum_of(tally: Counts, criteria: Filter, *more: ColumnElement[bool]) -> int:
    conditions = _tally_conditions(tally, criteria)
    parts = [
        select(tally.count).where(tally.span == span, *days, *conditions, *more)
        for span, days in _spans(tally, criteria.first, criteria.last)
    ]
    return int(db.session.scalar(select(func.sum(union_all(*parts).subquery().c.count))) or 0)


def _tally_conditions(tally: Counts, criteria: Filter) -> Conditions:
    conditions: Conditions = []
    if criteria.model is not None:
        conditions.append(tally.model == criteria.model)
    if criteria.answer is not None:
        conditions.append(tally.digit == _code(criteria.answer))
    if criteria.label is not None:
        conditions.append(tally.label == _code(criteria.label))
    verdicts: dict[Verdict, ColumnElement[bool]] = {
        Verdict.LABELLED: tally.label != UNLABELLED,
        Verdict.UNLABELLED: tally.label == UNLABELLED,
        Verdict.RIGHT: tally.label == tally.digit,
        Verdict.WRONG: and_(tally.label != UNLABELLED, tally.label != tally.digit),
    }
    if criteria.verdict is not None:
        conditions.append(verdicts[criteria.verdict])
    return conditions


def _code(digit: str) -> int:
    return NOT_A_DIGIT if digit == NONE else int(digit)


def _spans(tally: Counts, first: date | None, last: date | None) -> Iterator[tuple[Span, Conditions]]:
    """Divide a range of days into whole months and the days around them, to read few rows."""
    start = first and (first if first.day == 1 else _next_month(first))
    # The last day of all has no successor.
    end = last and (last if last == date.max else last + timedelta(1)).replace(day=1)
    if first and last and start and end and start >= end:
        yield Span.DAY, [tally.start >= first, tally.start <= last]
        return
    yield Span.MONTH, _between(tally, start, end)
    if first and start:
        yield Span.DAY, _between(tally, first, start)
    if last and end:
        yield Span.DAY, [tally.start >= end, tally.start <= last]


def _next_month(day: date) -> date:
    # The last month of all has no successor, and no predictions.
    if (day.year, day.month) == (date.max.year, 12):
        return date.max
    return (day.replace(day=1) + timedelta(31)).replace(day=1)


def _between(tally: Counts, start: date | None, end: date | None) -> Conditions:
    conditions: Conditions = [tally.start >= start] if start else []
    return [*conditions, tally.start < end] if end else conditions


def _count_in_log(criteria: Filter, visitor: str, *more: ColumnElement[bool]) -> Count:
    # The index of one criterion is walked, and the others are checked on the way: the time is bounded even if
    # few of many rows match. One more is read to know if there are any. The criterion `more` has an index.
    conditions = [*criteria.conditions(visitor), *more]
    walked, column = (
        ([*more, *criteria.day_conditions()], Prediction.created_at) if more else _walk(criteria, visitor)
    )
    most = MAX_COUNTED if len(walked) == len(conditions) else MAX_CHECKED
    matches = case((and_(*conditions), 1), else_=0).label("matches")
    rows = select(matches).where(*walked).order_by(column.desc()).limit(most + 1).subquery()
    read, matching = db.session.execute(
        select(func.count(), func.coalesce(func.sum(rows.c.matches), 0)).select_from(rows)
    ).one()
    if read <= most:
        return Count(int(matching))
    return Count(min(int(matching), most), exact=False)


def _walk(criteria: Filter, visitor: str) -> tuple[Conditions, InstrumentedAttribute[Any]]:
    """Return conditions that one index answers, and the column by which it is ordered."""
    if criteria.mine:
        return [Prediction.visitor == visitor, *criteria.day_conditions()], Prediction.created_at
    if criteria.prompt is not None:
        of_prompt = Prediction.prompt == int(criteria.prompt)
        return [of_prompt, *criteria.day_conditions()], Prediction.created_at
    if criteria.source is not None:
        of_source = Prediction.source == criteria.source
        return [of_source, *criteria.day_conditions()], Prediction.created_at
    wrong = criteria.verdict_conditions() if criteria.verdict is Verdict.WRONG else []
    return [*wrong, *criteria.confidence_conditions()], Prediction.confidence
