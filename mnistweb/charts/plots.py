"""SVG charts of proportions and confusions. Position, number or pattern repeat all that colour shows.

Lengths are in SVG user units; on the page, a chart is about WIDTH pixels wide.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from markupsafe import Markup

from mnistweb.charts.svg import circle, drawing, element, line, link, rect, text
from mnistweb.formatting import percent
from mnistweb.proportion import Proportion

WIDTH, LEFT, RIGHT = 360.0, 50.0, 352.0
TOP, BOTTOM = 12.0, 172.0
COUNTS_HEIGHT = 26.0  # of the bars below a plot that show counts
MAX_NAME_LENGTH = 32  # characters


@dataclass(frozen=True, slots=True)
class Column:
    """A proportion at `x` 0..1 of the horizontal axis, with its name and its tick label.

    `count_x` is the position of its count, if not `x`. `address` is the page of its drawings, if any.
    """

    x: float
    name: str
    tick: str
    proportion: Proportion
    count_x: float | None = None
    address: str = ""


class Refusals(Protocol):
    """Answers of a period, and how many of them were "not a digit"."""

    predictions: int

    @property
    def refusal_rate(self) -> Proportion:
        """Proportion of answers that were "not a digit"."""

    @property
    def refusals_by_feedback(self) -> Mapping[str, int]:
        """Counts of refusals by feedback: "right", "wrong", or "open" without feedback."""


def evenly_spaced(
    names: Sequence[str],
    proportions: Iterable[Proportion],
    addresses: Iterable[str],
    *,
    ticks: Sequence[str] = (),
    max_ticks: int = 5,
) -> list[Column]:
    """Return columns at equal distances; at most `max_ticks` have a tick label, by default their name."""
    step = -(-len(names) // max_ticks)
    return [
        Column(
            x=(number + 0.5) / len(names),
            name=name,
            tick=(ticks or names)[number] if number % step == step // 2 else "",
            proportion=proportion,
            address=address,
        )
        for number, (name, proportion, address) in enumerate(zip(names, proportions, addresses, strict=True))
    ]


def axis_start(proportions: Iterable[Proportion]) -> float:
    """Return the lower end of the vertical axis below all intervals: 0, 0.5, 0.8 or 0.9."""
    low = min((each.interval[0] for each in proportions if each.total), default=0.0)
    return next((bound for bound in (0.9, 0.8, 0.5) if low >= bound), 0.0)


def axis_end(highest: float) -> float:
    """Return the upper end of a vertical axis that begins at 0: a round share, not below `highest`."""
    return next((bound for bound in (0.04, 0.08, 0.2, 0.4, 0.6, 0.8) if highest <= bound), 1.0)


def proportion_chart(
    columns: Sequence[Column],
    title: str,
    *,
    joined: bool = False,
    diagonal: bool = False,
    bins: int = 10,
    counted: str = "rated",
) -> Markup:
    """Draw a dot with its interval for each proportion, above bars for the totals, which are `counted`.

    `joined` connects neighbours. With `diagonal`, the horizontal axis is a share as well, in so many equal
    `bins`, and a line marks equality: a reliability diagram.
    """
    low = 0.0 if diagonal else axis_start(column.proportion for column in columns)
    steps = 5 if low in (0.5, 0.9) else 4

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (1 - low)

    parts = [*vertical_axis(low, 1.0, steps), *tick_labels(columns)]
    if diagonal:
        parts.append(line("diagonal", LEFT, BOTTOM, RIGHT, TOP))
        parts += tick_labels([Column(step / 4, "", f"{25 * step} %", Proportion(0, 0)) for step in range(5)])
    measured = [column for column in columns if column.proportion.total]
    for left, right in pairwise(columns if joined else ()):
        if left in measured and right in measured:
            start = to_svg_x(left.x), height(left.proportion.value)
            parts.append(line("joint", *start, to_svg_x(right.x), height(right.proportion.value)))
    parts += _count_bars(measured, len(columns), counted)
    marks, end = [], BOTTOM + 30 + COUNTS_HEIGHT
    for column in measured:
        low_end, high_end = map(height, column.proportion.interval)
        x = to_svg_x(column.x)
        mark = line("reach", x, low_end, x, high_end), circle("dot", x, height(column.proportion.value), 4)
        target = _target(column, (RIGHT - LEFT) / (bins if diagonal else len(columns)), end)
        marks.append(_linked(column.name, column.proportion, [target, *mark], column.address))
    return drawing(WIDTH, end, title, parts, marks)


def proportion_rows(proportions: Mapping[str, Proportion], addresses: Iterable[str], title: str) -> Markup:
    """Draw a row for each name, with the proportion as a dot with its interval."""
    left, row_height = 6.0, 46.0
    parts, marks = [], []
    rows = zip(proportions.items(), addresses, strict=True)
    for number, ((name, proportion), address) in enumerate(rows):
        y = TOP + row_height * number + 2
        parts.append(text(_shorten(name), left, y, "name", "start"))
        parts.append(line("grid", left, y + 16, RIGHT, y + 16))
        if proportion.total:
            low, high, middle = (
                left + (RIGHT - left) * value for value in (*proportion.interval, proportion.value)
            )
            target = rect("target", 0, y - 12, WIDTH, row_height - 8)
            mark = line("reach", low, y + 16, high, y + 16), circle("dot", middle, y + 16, 4)
            marks.append(_linked(name, proportion, [target, *mark], address))
        value = (
            f"{percent(proportion.value)} of {proportion.total:,}" if proportion.total else "not rated yet"
        )
        parts.append(text(value, RIGHT, y, anchor="end"))
    bottom = TOP + row_height * len(proportions)
    for step in range(5):
        anchor = {0: "start", 4: "end"}.get(step, "middle")
        parts.append(text(f"{25 * step} %", left + (RIGHT - left) * step / 4, bottom, anchor=anchor))
    return drawing(WIDTH, bottom + 6, title, parts, marks)


def confusion_matrix(
    counts: Mapping[int, Mapping[int, int]],
    names: Mapping[int, str],
    address: Callable[[int, int], str],
    title: str,
) -> Markup:
    """Draw a confusion matrix: a row for each label, a column for each predicted digit, with counts.

    A cell is darker for a larger share of its row: `data-shade` 0..4. `address` returns the page of the
    drawings with a label and a predicted digit.
    """
    marks = []
    side, left, top = 27.0, 58.0, 40.0
    centre = side * len(names) / 2
    parts = [text("The model read", left + centre, 12, "of-network")]
    turned = f"translate(12 {top + centre:.1f}) rotate(-90)"
    parts.append(element("text", "It was", class_="of-person", transform=turned, text_anchor="middle"))
    for row_number, (label, row) in enumerate(counts.items()):
        y = top + row_number * side
        parts.append(text(names[label], left - 7, y + side / 2 + 4, "name", "end"))
        for column_number, (digit, count) in enumerate(row.items()):
            x = left + column_number * side
            if not row_number:
                parts.append(text(names[digit], x + side / 2, top - 7, "name"))
            share = count / (sum(row.values()) or 1)
            shade = sum(share > bound for bound in (0, 0.1, 0.3, 0.6))
            kind = {"data_kind": "right" if label == digit else "wrong", "data_shade": shade}
            cell = rect("cell", x + 1, y + 1, side - 2, side - 2, rx=3, **kind)
            if not count:
                parts.append(cell)
                continue
            number = text(compact(count), x + side / 2, y + side / 2 + 4, "count")
            words = f"{names[label]} read as {names[digit]}: {count:,}"
            marks.append(link(address(label, digit), words, cell, number))
    return drawing(WIDTH, top + 2 * centre + 2, title, parts, marks)


def refusal_chart(
    periods: Sequence[Refusals], names: Sequence[str], addresses: Iterable[str], title: str
) -> Markup:
    """Draw a bar for each period's refusal rate, divided by feedback: right, wrong or open."""
    end = axis_end(max((period.refusal_rate.value for period in periods), default=0.0))
    columns = evenly_spaced(names, [period.refusal_rate for period in periods], addresses)
    parts = [_hatch_pattern(), *vertical_axis(0.0, end, 4), *tick_labels(columns)]
    marks, width = [], min(0.7 * (RIGHT - LEFT) / max(len(periods), 1), 26.0)
    for column, period in zip(columns, periods, strict=True):
        y, bars = BOTTOM, []
        for kind, count in period.refusals_by_feedback.items():
            if count:
                height = (BOTTOM - TOP) * count / period.predictions / end
                y -= height
                bars.append(_bar(kind, to_svg_x(column.x) - width / 2, y, width, height))
        target = _target(column, (RIGHT - LEFT) / len(periods), BOTTOM)
        marks.append(_linked(column.name, column.proportion, [target, *bars], column.address if bars else ""))
    return drawing(WIDTH, BOTTOM + 22, title, parts, marks)


def swatch(kind: str) -> Markup:
    """Draw a sample of a bar of `refusal_chart`, for its legend."""
    return element(
        "svg",
        _bar(kind, 1, 1, 14, 10),
        class_="swatch",
        viewBox="0 0 16 12",
        width=16,
        height=12,
        aria_hidden="true",
    )


def compact(count: int) -> str:
    """Format a count in at most four characters: 999, 1.2k, 12k, 1.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if count >= 0.9995 * size:
            return f"{count / size:.{1 if count < 9.95 * size else 0}f}{unit}"
    return str(count)


def to_svg_x(x: float) -> float:
    """Return the horizontal position of a share 0..1 of the axis, in user units."""
    return LEFT + (RIGHT - LEFT) * x


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"


def _linked(name: str, proportion: Proportion, marks: Iterable[Markup], address: str) -> Markup:
    words = f"{name}: {proportion.part:,} of {proportion.total:,}, {percent(proportion.value)}"
    return link(address, words, *marks)


def _target(column: Column, width: float, bottom: float) -> Markup:
    """Return an invisible area about a column, which is easier to hit than its dot."""
    x = to_svg_x(column.x if column.count_x is None else column.count_x)
    return rect("target", x - width / 2, 0, width, bottom)


def vertical_axis(low: float, high: float, steps: int) -> Iterator[Markup]:
    """Yield the lines of a vertical axis of shares from `low` to `high`, with their labels."""
    for step in range(steps + 1):
        y = BOTTOM - (BOTTOM - TOP) * step / steps
        yield line("grid", LEFT, y, RIGHT, y)
        yield text(f"{100 * (low + (high - low) * step / steps):.3g} %", LEFT - 6, y + 4, anchor="end")


def tick_labels(columns: Iterable[Column]) -> Iterator[Markup]:
    """Yield the labels below the columns that have one."""
    for column in columns:
        x = to_svg_x(column.x)
        # A long label at the edge must stay within the SVG.
        if x + 3.5 * len(column.tick) > WIDTH:
            yield text(column.tick, WIDTH, BOTTOM + 16, anchor="end")
        elif column.tick:
            yield text(column.tick, x, BOTTOM + 16)


def _count_bars(columns: Sequence[Column], positions: int, counted: str) -> Iterator[Markup]:
    highest = max((column.proportion.total for column in columns), default=0)
    width, bottom = min(0.6 * (RIGHT - LEFT) / max(positions, 1), 18.0), BOTTOM + 28 + COUNTS_HEIGHT
    yield line("grid", LEFT, bottom, RIGHT, bottom)
    yield text(counted, LEFT - 6, bottom, anchor="end")
    for column in columns:
        height = max((COUNTS_HEIGHT - 11) * column.proportion.total / highest, 1.0)
        x = to_svg_x(column.x if column.count_x is None else column.count_x)
        yield rect("counted", x - width / 2, bottom - height, width, height, data_kind=counted)
        if positions <= 12 or column.proportion.total == highest:
            yield text(compact(column.proportion.total), x, bottom - height - 2, "small")


def _bar(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    pattern = {"fill": "url(#hatch)"} if kind == "wrong" else {}
    return rect("bar", x, y, width, height, data_kind=kind, **pattern)


def _hatch_pattern() -> Markup:
    background = rect("hatch-ground", 0, 0, 4, 4)
    stroke = element("path", class_="hatch-line", d="M-1 1l2-2M0 4l4-4M3 5l2-2")
    pattern = {"id": "hatch", "width": 4, "height": 4, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", background, stroke, **pattern))
