"""Names, sentences and table cells of the charts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from mnistweb.charts import plots
from mnistweb.charts.figure import share_cells
from mnistweb.formatting import percent
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.queries import DIGITS, Insights
from mnistweb.predictions.aggregates import NOT_A_DIGIT
from mnistweb.predictions.filter_fields import NONE, Verdict
from mnistweb.predictions.filters import Filter
from mnistweb.proportion import Proportion
from mnistweb.recognition.boundaries import Certainty

NAMES = {digit: "none" if digit == NOT_A_DIGIT else str(digit) for digit in DIGITS}
PROPORTION_HEAD = ("Rated", "Right", "Share", "95 % interval")
MAX_NAMED = 3
"""Equally frequent mistakes that are named; the others are counted."""
CERTAINTY_NAMES = {
    Certainty.SURE: "Sure digits",
    Certainty.DOUBTFUL: "Digits in doubt",
    Certainty.NOT_A_DIGIT: "“Not a digit”",
}
FEEDBACK_NAMES = {"right": "rated right", "wrong": "rated wrong", "open": "not rated"}


def period_name(start: date, unit: str) -> str:
    """Format the start of a day, week, month or year, as precisely as its unit."""
    pattern = {"month": "%b %Y", "year": "%Y"}.get(unit)
    return f"{start:{pattern}}" if pattern else f"{start.day} {start:%b %Y}"


def days_name(start: date, last: date, unit: str) -> str:
    """Format a range of days, weeks, months or years by its first day and its last: "3 Nov to 9 Nov 2026"."""
    first, end = (period_name(day, "day" if unit == "week" else unit) for day in (start, last))
    if first == end:
        return end
    return f"{first.removesuffix(f' {last.year}')} to {end}"


def proportion_cells(
    proportion: Proportion, links: HistoryLinks, name: str, criteria: Filter
) -> tuple[str, ...]:
    """Format a proportion as the cells below PROPORTION_HEAD; `criteria` select what it counts."""
    right = replace(criteria, verdict=Verdict.RIGHT)
    counts = (
        links.cell(proportion.total, f"rated: {name}", criteria),
        links.cell(proportion.part, f"right: {name}", right),
    )
    return *counts, *share_cells(proportion)


def most_frequent_mistakes(matrix: Mapping[int, Mapping[int, int]]) -> str:
    """Name the most frequent mistakes of a confusion matrix in a sentence; empty without mistakes."""
    mistakes = {
        f"{NAMES[label]} → {NAMES[digit]}": count
        for label, row in matrix.items()
        for digit, count in row.items()
        if digit != label
    }
    most = max(mistakes.values())
    worst = [name for name, count in mistakes.items() if count == most]
    if most < 2:
        return " No mistake has happened twice." if most else ""
    if len(worst) == 1:
        return f" Most frequent mistake: {worst[0]}, {most:,}×."
    named, others = worst[:MAX_NAMED], len(worst) - MAX_NAMED
    end = [f"{others} more"] if others > 0 else [named.pop()]
    return f" Most frequent mistakes, {most:,}× each: {', '.join(named)} and {end[0]}."


def filter_text(digit: int) -> str:
    """Return a digit or label of the aggregates as the text of a filter."""
    return NONE if digit == NOT_A_DIGIT else str(digit)


def axis_note(proportions: Iterable[Proportion]) -> str:
    """Say where the vertical axis begins, if not at 0."""
    low = plots.axis_start(proportions)
    return f" The scale begins at {percent(low, 0)}." if low else ""


def in_words(proportion: Proportion) -> str:
    """Format the proportion of right answers: "3 of 4 right, 75.0 %"."""
    return f"{proportion.part:,} of {proportion.total:,} right, {percent(proportion.value)}"


def unit_heading(insights: Insights) -> str:
    """Name the unit in the head of a table."""
    return {"day": "Day (UTC)", "week": "Week from"}.get(insights.unit, insights.unit.capitalize())


def tick_labels(insights: Insights, starts: Iterable[date]) -> list[str]:
    """Format the starts of periods below an axis."""
    pattern = {"month": "%b %Y", "year": "%Y"}.get(insights.unit)
    return [f"{start:{pattern}}" if pattern else f"{start.day} {start:%b}" for start in starts]
