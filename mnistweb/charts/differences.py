"""A chart of differences with their intervals, about a line at zero."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mnistweb.charts.plots import RIGHT, TOP, WIDTH
from mnistweb.charts.svg import circle, drawing, line, link, text

LEFT, ROW = 6.0, 46.0
MINUS = "\N{MINUS SIGN}"
SPANS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of shares, -1..1, and its interval."""

    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """The difference in percentage points."""
        return f"{points(self.value)} ({points(self.low)} to {points(self.high)})"


def points(value: float) -> str:
    """Format a difference of shares in percentage points, with a sign."""
    shown = f"{100 * value:+.2f}"
    return "0.00" if shown in ("+0.00", "-0.00") else shown.replace("-", MINUS)


def difference_rows(differences: Mapping[str, Interval], margin: float, title: str) -> Markup:
    """Draw a row for each name: the difference as a dot with its interval.

    On each row a line marks zero, and a dashed one the margin below it. The axis cuts off long intervals.
    """
    furthest = max((abs(each.value) for each in differences.values()), default=0.0)
    span = next(each for each in SPANS if each >= min(max(1.5 * furthest, 1.5 * margin), 1.0))
    bottom = TOP + ROW * len(differences)

    def across(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (max(-span, min(value, span)) + span) / (2 * span)

    parts, marks = [], []
    for number, (name, each) in enumerate(differences.items()):
        y = TOP + ROW * number + 2
        parts.append(text(name, LEFT, y, "name", "start"))
        parts.append(text(points(each.value), RIGHT, y, anchor="end"))
        parts.append(line("grid", LEFT, y + 16, RIGHT, y + 16))
        parts.append(line("zero", across(0), y + 7, across(0), y + 25))
        parts.append(line("diagonal", across(-margin), y + 7, across(-margin), y + 25))
        reach = line("reach", across(each.low), y + 16, across(each.high), y + 16)
        marks.append(link("", f"{name}: {each.words}", reach, circle("dot", across(each.value), y + 16, 4)))
    for share, anchor in ((-span, "start"), (0.0, "middle"), (span, "end")):
        tick = f"{100 * share:+.3g}".replace("-", MINUS) if share else "0"
        parts.append(text(tick, across(share), bottom, anchor=anchor))
    return drawing(WIDTH, bottom + 6, title, parts, marks)
