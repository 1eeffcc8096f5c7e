"""SVG charts of curves over numbered steps, such as the passes of a training, or over a share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup

from mnistweb.charts.plots import BOTTOM, LEFT, RIGHT, TOP, WIDTH
from mnistweb.charts.svg import circle, drawing, element, line, polyline, rect, text

ZERO_GAP = 20.0  # between the line of zero and the lowest power of ten, in user units
MAX_TICKS = 6
MARK_RADIUS = 2.5


@dataclass(frozen=True, slots=True)
class Axis:
    """A vertical axis: the place of a value in user units, and the labels of its ticks by value."""

    place: Callable[[float], float]
    ticks: Mapping[float, str]


def linear_axis(values: Iterable[float]) -> Axis:
    """Return an axis from 0 to a round number above all values."""
    step = _round_number(max(values, default=1.0) / 4, (1, 1.5, 2, 2.5, 5))
    highest = 4 * step
    return Axis(
        lambda value: BOTTOM - (BOTTOM - TOP) * value / highest,
        {number * step: f"{number * step:.4g}" for number in range(5)},
    )


def error_axis(shares: Iterable[float]) -> Axis:
    """Return an axis of powers of ten up to 100 %, which has a line for 0 below them."""
    lowest = floor(log10(min((share for share in shares if share), default=0.1)))
    bottom = BOTTOM - ZERO_GAP

    def place(share: float) -> float:
        return bottom - (bottom - TOP) * (1 - log10(share) / lowest) if share else BOTTOM

    powers = {10.0**power: f"{100 * 10.0**power:g} %" for power in range(lowest, 1)}
    return Axis(place, {0.0: "0 %", **powers})


def curve_chart(curves: Mapping[str, Sequence[float]], axis: Axis, step: str, title: str) -> Markup:
    """Draw a curve for each name, of values at the steps 1, 2, 3 ..., which are called `step`.

    The first curve is solid with dots, the second one dashed with squares.
    """
    count = max(map(len, curves.values()))

    def to_x(number: float) -> float:
        return LEFT + (RIGHT - LEFT) * (number - 0.5) / count

    parts = [*_vertical_axis(axis), *_step_labels(count, to_x)]
    drawn = []
    for kind, (name, values) in zip(("solid", "dashed"), curves.items(), strict=False):
        points = [(to_x(number), axis.place(value)) for number, value in enumerate(values, 1)]
        marks = [_mark(kind, x, y) for x, y in points]
        drawn.append(element("g", element("title", name), polyline(f"curve is-{kind}", points), *marks))
    parts.append(text(step, RIGHT, BOTTOM + 32, anchor="end"))
    return drawing(WIDTH, BOTTOM + 38, title, parts, drawn)


def share_chart(
    curves: Mapping[str, Sequence[tuple[float, float]]], axis: Axis, mark: float, title: str
) -> Markup:
    """Draw a curve for each name, of points whose x is a share 0..1; a vertical line is at the share `mark`.

    The first curve is solid, the second one dashed.
    """

    def to_x(share: float) -> float:
        return LEFT + (RIGHT - LEFT) * share

    parts = [*_vertical_axis(axis), line("diagonal", to_x(mark), TOP, to_x(mark), BOTTOM)]
    parts += [text(f"{25 * step} %", to_x(step / 4), BOTTOM + 16) for step in range(4)]
    parts.append(text("100 %", RIGHT, BOTTOM + 16, anchor="end"))
    drawn = []
    for kind, (name, points) in zip(("solid", "dashed"), curves.items(), strict=False):
        places = [(to_x(share), axis.place(value)) for share, value in points]
        drawn.append(element("g", element("title", name), polyline(f"curve is-{kind}", places)))
    return drawing(WIDTH, BOTTOM + 22, title, parts, drawn)


def curve_sample(kind: str, *, marked: bool = True) -> Markup:
    """Draw a sample of a curve, solid or dashed, for a legend; `marked` as those of `curve_chart`."""
    parts = [line(f"curve is-{kind}", 0, 6, 32, 6), *([_mark(kind, 16, 6)] if marked else [])]
    box = {"viewBox": "0 0 32 12", "width": 32, "height": 12}
    return element("svg", *parts, class_="chart-sample", aria_hidden="true", **box)


def _mark(kind: str, x: float, y: float) -> Markup:
    if kind == "solid":
        return circle("curve-dot", x, y, MARK_RADIUS)
    return rect("curve-square", x - MARK_RADIUS, y - MARK_RADIUS, 2 * MARK_RADIUS, 2 * MARK_RADIUS)


def _vertical_axis(axis: Axis) -> Iterator[Markup]:
    for value, label in axis.ticks.items():
        y = axis.place(value)
        yield line("grid", LEFT, y, RIGHT, y)
        yield text(label, LEFT - 6, y + 4, anchor="end")


def _step_labels(count: int, to_x: Callable[[float], float]) -> Iterator[Markup]:
    step = int(_round_number(max(count / MAX_TICKS, 1), (1, 2, 5)))
    for number in sorted({1, *range(step, count + 1, step)} - ({2} if step == 2 else set())):
        yield text(str(number), to_x(number), BOTTOM + 16)


def _round_number(least: float, factors: Sequence[float]) -> float:
    """Return the lowest of `factors`, times a power of ten, that is at least `least`; 1 for 0."""
    power = 10.0 ** floor(log10(least)) if least > 0 else 1.0
    return next((factor * power for factor in factors if factor * power >= least), 10 * power)
