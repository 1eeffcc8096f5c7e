"""SVG charts that compare the latest days with a reference window before them."""

from collections.abc import Sequence

from markupsafe import Markup

from mnistweb.charts.plots import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Column,
    axis_end,
    axis_start,
    evenly_spaced,
    tick_labels,
    to_svg_x,
    vertical_axis,
)
from mnistweb.charts.svg import circle, drawing, line, link, rect, text
from mnistweb.formatting import percent
from mnistweb.proportion import Proportion

LABELS = 14.0  # above the plot, for the names of the windows
BAR_SHARE = 0.38  # of a bin's width


def day_chart(columns: Sequence[Column], recent_from: int, reference: Proportion, title: str) -> Markup:
    """Draw a dot with its interval for each day's share; a dashed line is at the share of the reference.

    The first `recent_from` columns are the reference days; a vertical line ends them. Intervals end at the
    edge of the axis, which has room for the shares.
    """
    measured = [column for column in columns if column.proportion.total]
    low = axis_start([*(column.proportion for column in measured), reference])
    shares = [column.proportion.value for column in measured] + [reference.interval[1]]
    high = 1.0 if low else axis_end(1.25 * max(shares))

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (min(value, high) - low) / (high - low)

    border = LEFT + (RIGHT - LEFT) * recent_from / len(columns)
    parts = [*vertical_axis(low, high, 4), *tick_labels(columns)]
    parts.append(line("border", border, TOP - LABELS, border, BOTTOM))
    parts.append(text("before", border - 5, TOP - 5, anchor="end"))
    parts.append(text("latest", border + 5, TOP - 5, anchor="start"))
    parts.append(line("diagonal", LEFT, height(reference.value), RIGHT, height(reference.value)))
    marks, width = [], (RIGHT - LEFT) / len(columns)
    for column in measured:
        share, x = column.proportion, to_svg_x(column.x)
        target = rect("target", x - width / 2, 0, width, BOTTOM)
        reach = line("reach", x, height(share.interval[0]), x, height(share.interval[1]))
        dot = circle("dot", x, height(share.value), 3)
        words = f"{column.name}: {percent(share.value)} of {share.total:,}"
        marks.append(link(column.address, words, target, reach, dot))
    return drawing(WIDTH, BOTTOM + 22, title, parts, marks)


def bin_chart(
    names: Sequence[str], ticks: Sequence[str], reference: Sequence[int], recent: Sequence[int], title: str
) -> Markup:
    """Draw two bars for each bin: its share of the reference, outlined, and of the latest, filled."""
    pairs = [
        [Proportion(count, sum(counts)) for count, counts in zip(both, (reference, recent), strict=True)]
        for both in zip(reference, recent, strict=True)
    ]
    end = axis_end(max(each.value for pair in pairs for each in pair))
    columns = evenly_spaced(names, [pair[1] for pair in pairs], [""] * len(names), ticks=ticks)
    width = BAR_SHARE * (RIGHT - LEFT) / len(columns)
    marks = []
    for column, pair in zip(columns, pairs, strict=True):
        x, bars = to_svg_x(column.x), []
        for left, kind, each in zip((x - width, x), ("open", "right"), pair, strict=True):
            height = (BOTTOM - TOP) * each.value / end
            bars.append(rect("bar", left, BOTTOM - height, width, height, data_kind=kind))
        words = f"{column.name}: {percent(pair[1].value)} of the latest, {percent(pair[0].value)} before"
        marks.append(link("", words, *bars))
    return drawing(WIDTH, BOTTOM + 22, title, [*vertical_axis(0.0, end, 4), *tick_labels(columns)], marks)
