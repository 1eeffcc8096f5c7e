"""Periods joined until each has enough feedback for its accuracy to mean something."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from mnistweb.insights.queries import Insights, last_day
from mnistweb.proportion import Proportion

ENOUGH = 20
"""Rated answers in a bin, at least: its 95 % interval then spans some 40 percentage points, or fewer."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The accuracy of one period, or of several in a row, from `start` to the day `last`."""

    start: date
    last: date
    accuracy: Proportion


def rated_bins(insights: Insights) -> list[Bin]:
    """Join the periods into bins of at least ENOUGH rated answers; with fewer in all, into one bin."""
    found: list[Bin] = []
    for each in _single(insights):
        if found and found[-1].accuracy.total < ENOUGH:
            found[-1] = _joined(found[-1], each)
        else:
            found.append(each)
    if len(found) > 1 and found[-1].accuracy.total < ENOUGH:
        found[-2:] = [_joined(*found[-2:])]
    return found


def _single(insights: Insights) -> Iterator[Bin]:
    for period in insights.periods:
        yield Bin(period.start, last_day(period.start, insights.unit), period.accuracy)


def _joined(one: Bin, other: Bin) -> Bin:
    part, total = one.accuracy.part + other.accuracy.part, one.accuracy.total + other.accuracy.total
    return Bin(one.start, other.last, Proportion(part, total))
