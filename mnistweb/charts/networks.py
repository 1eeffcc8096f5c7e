"""SVG pictures of networks: boxes for layers, diagrams of kernels."""

from collections.abc import Iterator, Sequence
from math import log2, sqrt

from markupsafe import Markup

from mnistweb.charts.svg import element, rect

CELL = 10.0  # side of a kernel's cell, in user units
UNITS_PER_REM = 16.0
LEAST_WEIGHT = 0.02  # smaller ones are left out


def layer_box(shape: Sequence[int]) -> Markup:
    """Draw a box: height by the size of the maps, width by their number. It grows with the root's font."""
    side, depth = _extent(shape)
    width, height = 12 + 7 * log2(depth + 1), 12 + 3 * side
    box = rect("layer-box", 1, 1, width - 2, height - 2, rx=3)
    size = {
        "viewBox": f"0 0 {width:.1f} {height:.1f}",
        "width": f"{width / UNITS_PER_REM:.3f}rem",
        "height": f"{height / UNITS_PER_REM:.3f}rem",
    }
    return element("svg", box, aria_hidden="true", **size)


def _extent(shape: Sequence[int]) -> tuple[float, int]:
    """Return the side of the maps, and their number."""
    match shape:
        case (depth, side, _):
            return side, depth
        case (tokens, depth):
            return sqrt(tokens), depth
        case _:
            return 0, shape[0]


def kernel_diagram(kernel: Sequence[Sequence[float]]) -> Markup:
    """Draw the weights -1..1 of a kernel: a filled square for a positive one, a hollow one for a negative.

    The area of a square is its weight: a Hinton diagram. Source: G. E. Hinton and T. Shallice, "Lesioning an
    attractor network", 1991.
    """
    filled, hollow = "".join(_squares(kernel, 1)), "".join(_squares(kernel, -1))
    width, height = CELL * len(kernel[0]), CELL * len(kernel)
    return element(
        "svg",
        rect("kernel-ground", 0, 0, width, height),
        element("path", class_="kernel-filled", d=filled),
        element("path", class_="kernel-hollow", d=hollow),
        class_="kernel",
        viewBox=f"0 0 {width:g} {height:g}",
        aria_hidden="true",
    )


def _squares(kernel: Sequence[Sequence[float]], sign: int) -> Iterator[str]:
    for row, weights in enumerate(kernel):
        for column, weight in enumerate(weights):
            if sign * weight >= LEAST_WEIGHT:
                side = 0.9 * CELL * sqrt(abs(weight))
                left, top = (CELL * (place + 0.5) - side / 2 for place in (column, row))
                yield f"M{left:.1f} {top:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z"
