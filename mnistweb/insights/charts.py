"""Charts of the insights, as SVG. What they show in colour they show by place, number or pattern as well.

Lengths are units of the drawing; on the page it is about as wide as WIDTH in pixels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from mnistweb.formatting import percent
from mnistweb.insights.queries import Period
from mnistweb.insights.svg import circle, drawing, element, line, rect, text
from mnistweb.proportion import Proportion

WIDTH, LEFT, RIGHT = 360.0, 50.0, 352.0
TOP, BOTTOM = 12.0, 172.0
STRIP = 26.0  # height of the counts below a plot
LONGEST_NAME = 32


@dataclass(frozen=True, slots=True)
class Column:
    """A share above a place of the horizontal axis: `x` 0..1, its name, what stands below the axis.

    `foot` is where its count stands, if not below it.
    """

    x: float
    name: str
    tick: str
    share: Proportion
    foot: float | None = None


def spread(names: Sequence[str], shares: Iterable[Proportion], most: int = 5) -> list[Column]:
    """Columns side by side, at most `most` of which have their name below the axis."""
    step = -(-len(names) // most)
    return [
        Column((place + 0.5) / len(names), name, name if place % step == step // 2 else "", share)
        for place, (name, share) in enumerate(zip(names, shares, strict=True))
    ]


def lowest(shares: Iterable[Proportion]) -> float:
    """Where the vertical axis begins, so that high shares can be told apart: 0, 0.5, 0.8 or 0.9."""
    low = min((share.interval[0] for share in shares if share.total), default=0.0)
    return next((bound for bound in (0.9, 0.8, 0.5) if low >= bound), 0.0)


def shares(columns: Sequence[Column], title: str, *, joined: bool = False, diagonal: bool = False) -> Markup:
    """A dot for each share on its interval, and a strip of how many it was found from.

    `joined` connects neighbours. With `diagonal` the axis below is a share too, and a line marks where both
    are equal.
    """
    low = 0.0 if diagonal else lowest(column.share for column in columns)
    steps = 5 if low in (0.5, 0.9) else 4

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (1 - low)

    parts = [*_scale(low, 1.0, steps), *_ticks(columns)]
    if diagonal:
        parts.append(line("diagonal", LEFT, BOTTOM, RIGHT, TOP))
        parts += _ticks([Column(step / 4, "", f"{25 * step} %", Proportion(0, 0)) for step in range(5)])
    counted = [column for column in columns if column.share.total]
    for one, other in pairwise(columns if joined else ()):
        if one in counted and other in counted:
            ends = (_across(one.x), height(one.share.value), _across(other.x), height(other.share.value))
            parts.append(line("joint", *ends))
    for column in counted:
        low_end, high_end = map(height, column.share.interval)
        x = _across(column.x)
        mark = line("reach", x, low_end, x, high_end), circle("dot", x, height(column.share.value), 4)
        parts.append(_named(column.name, column.share, mark))
    parts += _strip(counted, len(columns))
    return drawing(WIDTH, BOTTOM + 30 + STRIP, title, parts)


def rows(named: Mapping[str, Proportion], title: str) -> Markup:
    """A line for each name, on it the share as a dot on its interval."""
    left, pitch, parts = 6.0, 46.0, []
    for place, (name, share) in enumerate(named.items()):
        y = TOP + pitch * place + 2
        parts.append(text(_short(name), left, y, "name", "start"))
        parts.append(line("grid", left, y + 16, RIGHT, y + 16))
        if share.total:
            low, high, middle = (left + (RIGHT - left) * value for value in (*share.interval, share.value))
            mark = line("reach", low, y + 16, high, y + 16), circle("dot", middle, y + 16, 4)
            parts.append(_named(name, share, mark))
        value = f"{percent(share.value)} of {share.total:,}" if share.total else "not rated yet"
        parts.append(text(value, RIGHT, y, anchor="end"))
    bottom = TOP + pitch * len(named)
    for step in range(5):
        anchor = {0: "start", 4: "end"}.get(step, "middle")
        parts.append(text(f"{25 * step} %", left + (RIGHT - left) * step / 4, bottom, anchor=anchor))
    return drawing(WIDTH, bottom + 6, title, parts)


def matrix(counts: Mapping[int, Mapping[int, int]], names: Mapping[int, str], title: str) -> Markup:
    """A row for what was drawn, a column for what was read, in each cell how often.

    The more of its row is in a cell, the darker it is: `data-shade` 1..4.
    """
    side, left, top = 27.0, 58.0, 40.0
    centre = side * len(names) / 2
    parts = [text("The model read", left + centre, 12, "of-network")]
    turned = f"translate(12 {top + centre:.1f}) rotate(-90)"
    parts.append(element("text", "It was", class_="of-person", transform=turned, text_anchor="middle"))
    for down, (label, row) in enumerate(counts.items()):
        y = top + down * side
        parts.append(text(names[label], left - 7, y + side / 2 + 4, "name", "end"))
        for across, (digit, count) in enumerate(row.items()):
            x = left + across * side
            if not down:
                parts.append(text(names[digit], x + side / 2, top - 7, "name"))
            part = count / (sum(row.values()) or 1)
            shade = sum(part > bound for bound in (0, 0.1, 0.3, 0.6))
            kind = {"data_kind": "right" if label == digit else "wrong", "data_shade": shade}
            parts.append(rect("cell", x + 1, y + 1, side - 2, side - 2, rx=3, **kind))
            if count:
                parts.append(text(brief(count), x + side / 2, y + side / 2 + 4, "count"))
    return drawing(WIDTH, top + 2 * centre + 2, title, parts)


def refusals(stretches: Sequence[Period], names: Sequence[str], title: str) -> Markup:
    """A bar for each stretch: which share of its answers was "not a digit", and how those were judged."""
    most = max((stretch.refusals.value for stretch in stretches), default=0.0)
    high = next((bound for bound in (0.04, 0.08, 0.2, 0.4, 0.6, 0.8) if most <= bound), 1.0)
    columns = spread(names, [stretch.refusals for stretch in stretches])
    parts = [_hatch(), *_scale(0.0, high, 4), *_ticks(columns)]
    width = min(0.7 * (RIGHT - LEFT) / max(len(stretches), 1), 26.0)
    for column, stretch in zip(columns, stretches, strict=True):
        y, bars = BOTTOM, []
        for kind, count in stretch.judged_refusals.items():
            if count:
                length = (BOTTOM - TOP) * count / stretch.predictions / high
                y -= length
                bars.append(_bar(kind, _across(column.x) - width / 2, y, width, length))
        parts.append(_named(column.name, column.share, bars))
    return drawing(WIDTH, BOTTOM + 22, title, parts)


def swatch(kind: str) -> Markup:
    """A piece of a bar of `refusals`, for its legend."""
    return element(
        "svg",
        _bar(kind, 1, 1, 14, 10),
        class_="swatch",
        viewBox="0 0 16 12",
        width=16,
        height=12,
        aria_hidden="true",
    )


def brief(count: int) -> str:
    """A count in at most four characters: 999, 1.2k, 12k, 1.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if count >= 0.9995 * size:
            return f"{count / size:.{1 if count < 9.95 * size else 0}f}{unit}"
    return str(count)


def _across(x: float) -> float:
    return LEFT + (RIGHT - LEFT) * x


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _named(name: str, share: Proportion, marks: Iterable[Markup]) -> Markup:
    words = f"{name}: {share.part:,} of {share.total:,}, {percent(share.value)}"
    return element("g", element("title", words), *marks)


def _scale(low: float, high: float, steps: int) -> Iterator[Markup]:
    for step in range(steps + 1):
        y = BOTTOM - (BOTTOM - TOP) * step / steps
        yield line("grid", LEFT, y, RIGHT, y)
        yield text(f"{100 * (low + (high - low) * step / steps):.3g} %", LEFT - 6, y + 4, anchor="end")


def _ticks(columns: Iterable[Column]) -> Iterator[Markup]:
    for column in columns:
        x = _across(column.x)
        # A long name at the edge must not stick out of the drawing.
        if x + 3.5 * len(column.tick) > WIDTH:
            yield text(column.tick, WIDTH, BOTTOM + 16, anchor="end")
        elif column.tick:
            yield text(column.tick, x, BOTTOM + 16)


def _strip(columns: Sequence[Column], places: int) -> Iterator[Markup]:
    most = max((column.share.total for column in columns), default=0)
    width, bottom = min(0.6 * (RIGHT - LEFT) / max(places, 1), 18.0), BOTTOM + 28 + STRIP
    yield line("grid", LEFT, bottom, RIGHT, bottom)
    yield text("rated", LEFT - 6, bottom, anchor="end")
    for column in columns:
        height = max((STRIP - 11) * column.share.total / most, 1.0)
        x = _across(column.x if column.foot is None else column.foot)
        yield rect("judged", x - width / 2, bottom - height, width, height)
        if places <= 12 or column.share.total == most:
            yield text(brief(column.share.total), x, bottom - height - 2, "small")


def _bar(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    pattern = {"fill": "url(#hatch)"} if kind == "wrong" else {}
    return rect("bar", x, y, width, height, data_kind=kind, **pattern)


def _hatch() -> Markup:
    ground = rect("hatch-ground", 0, 0, 4, 4)
    stroke = element("path", class_="hatch-line", d="M-1 1l2-2M0 4l4-4M3 5l2-2")
    pattern = {"id": "hatch", "width": 4, "height": 4, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", ground, stroke, **pattern))
