"""Ways in which people write the digits: a slashed zero, a barred seven, a one with flag and foot.

The writers of a few tablets do not show them all. Each function takes a digit's strokes and returns those of
another way to write it. Strokes are float64 [n, 2] points in any unit, with y down.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from mnistweb.recognition.rasteriser import Points
from mnistweb.training.symbols import Drawing, resample

SLASHED, BARRED, HOOKED, LOOPED, FLAGGED, FOOTED = 0.12, 0.12, 0.06, 0.06, 0.1, 0.08
ANGULAR, SEGMENTS = 0.06, 0.02
"""Shares of the digits that are written anew in this way, where it applies."""
UPRIGHT = 0.35
"""Width to height, up to which a one is a plain stroke."""
LIT = {
    0: "abcdef",
    1: "bc",
    2: "abdeg",
    3: "abcdg",
    4: "bcfg",
    5: "acdfg",
    6: "acdefg",
    7: "abc",
    9: "abcdfg",
}
LIT |= {8: "abcdefg"}
ENDS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((1, 2), (0, 2)),
    "e": ((0, 2), (0, 1)),
    "f": ((0, 1), (0, 0)),
    "g": ((0, 1), (1, 1)),
}
"""The ends of the seven segments, x and y down."""


def rewrite(strokes: Sequence[Points], label: int, rng: Generator) -> Drawing:
    """Write a digit 0-9 in another way, or most often as it is."""
    if rng.random() < SEGMENTS:
        return segments(label, rng)
    drawing: Drawing = tuple(strokes)
    for share, change in WAYS.get(label, ()):
        if rng.random() < share:
            drawing = change(drawing, rng)
    return straighten(drawing, rng) if rng.random() < ANGULAR else drawing


def slash(strokes: Drawing, rng: Generator) -> Drawing:
    """Add a slash, within the zero or beyond it, from the lower left to the upper right or the other way."""
    low, high = _corners(strokes)
    middle, half = (low + high) / 2, (high - low) / 2
    reach = half * rng.uniform(0.4, 1.35) * rng.uniform(0.85, 1.15, 2)
    towards = np.array([1.0, -1.0]) if rng.random() < 0.85 else np.array([1.0, 1.0])
    return (*strokes, _line(middle - reach * towards, middle + reach * towards))


def bar(strokes: Drawing, rng: Generator) -> Drawing:
    """Add a bar across the seven's stem, level or rising a little, high or low."""
    low, high = _corners(strokes)
    stem = (
        strokes[-1] if len(strokes) == 1 or np.ptp(strokes[-1][:, 1]) > 0.5 * (high - low)[1] else strokes[0]
    )
    height = rng.uniform(0.35, 0.72)
    lower = stem[len(stem) // 3 :]
    middle = lower[np.abs(lower[:, 1] - (low + height * (high - low))[1]).argmin()]
    reach = np.array([1.0, rng.uniform(-0.3, 0.15)]) * (high - low)[1] * rng.uniform(0.12, 0.32)
    middle = middle + reach * rng.uniform(-0.35, 0.35)
    return (*strokes, _line(middle - reach, middle + reach))


def hook(strokes: Drawing, rng: Generator) -> Drawing:
    """Begin the seven's top with a short stroke down."""
    first, height = strokes[0], np.ptp(np.concatenate(strokes)[:, 1])
    start = first[0] + height * np.array([rng.uniform(-0.08, 0.05), rng.uniform(0.1, 0.3)])
    return (np.concatenate([_line(start, first[0])[:-1], first]), *strokes[1:])


def loop(strokes: Drawing, rng: Generator) -> Drawing:
    """Write the seven anew in one stroke: a wave, a loop at the upper right, the stem; most get a bar."""
    low, high = _corners(strokes)
    waist = np.array([rng.uniform(0.3, 0.55), rng.uniform(0.16, 0.36)])  # where wave and loop cross
    wide, tall = rng.uniform(0.15, 0.45), rng.uniform(0.14, 0.32)
    around = [(0.9, -0.4), (0.8, -1.0), (0.15, -0.75)]
    points = [
        np.array([rng.uniform(-0.1, 0.1), rng.uniform(-0.08, 0.12)]),
        waist * (rng.uniform(0.35, 0.6), rng.uniform(0.6, 1.1)),
        waist,
        *(waist + rng.uniform(0.9, 1.1, 2) * (wide * x, tall * y) for x, y in around),
        waist + rng.uniform(-0.03, 0.03, 2),
        np.array([waist[0] + rng.uniform(-0.12, 0.04), 0.65]),
        np.array([waist[0] + rng.uniform(-0.28, 0.06), 1.0]),
    ]
    drawing: Drawing = (low + (high - low)[1] * _curve(np.stack(points)),)
    return bar(drawing, rng) if rng.random() < 0.7 else drawing


def flag(strokes: Drawing, rng: Generator) -> Drawing:
    """Add the upstroke of a one, short or long."""
    if not _is_upright(strokes):
        return strokes
    top = min(np.concatenate(strokes), key=lambda point: point[1])
    height = np.ptp(np.concatenate(strokes)[:, 1])
    end = top + height * rng.uniform(0.12, 0.6) * np.array([-rng.uniform(0.5, 1), rng.uniform(0.45, 1)])
    return (*strokes, _line(end, top))


def foot(strokes: Drawing, rng: Generator) -> Drawing:
    """Add the base of a one."""
    if not _is_upright(strokes):
        return strokes
    bottom = max(np.concatenate(strokes), key=lambda point: point[1])
    height = np.ptp(np.concatenate(strokes)[:, 1])
    reach = height * np.array([rng.uniform(0.12, 0.35), rng.uniform(-0.04, 0.04)])
    middle = bottom + reach * rng.uniform(-0.2, 0.2)
    return (*strokes, _line(middle - reach, middle + reach))


def straighten(strokes: Drawing, rng: Generator) -> Drawing:
    """Write with straight lines, corner to corner: square zeros and nines."""
    tolerance = np.ptp(np.concatenate(strokes), axis=0).max() * rng.uniform(0.05, 0.1)
    return tuple(_between(_simplify(stroke, tolerance)) for stroke in strokes)


def segments(label: int, rng: Generator) -> Drawing:
    """Write a digit with the seven segments of a calculator's display, wide or narrow."""
    scale = np.array([rng.uniform(0.6, 1.4), 1.0])
    return tuple(_line(*(np.array(end, float) * scale for end in ENDS[name])) for name in LIT[label])


WAYS: dict[int, tuple[tuple[float, Callable[[Drawing, Generator], Drawing]], ...]] = {
    0: ((SLASHED, slash),),
    1: ((FLAGGED, flag), (FOOTED, foot)),
    7: ((HOOKED, hook), (BARRED, bar), (LOOPED, loop)),
}


def _is_upright(strokes: Drawing) -> bool:
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    return bool(width < UPRIGHT * height)


def _corners(strokes: Drawing) -> tuple[Points, Points]:
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def _line(start: Points, end: Points) -> Points:
    return np.linspace(start, end, 8)


def _curve(points: Points) -> Points:
    """Draw a smooth curve through points [n, 2]: E. Catmull and R. Rom, 1974."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    parts = (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    ) / 2
    curve: Points = np.concatenate([parts.reshape(-1, 2), points[-1:]])
    return curve


def _between(points: Points) -> Points:
    """Add points between corners, so that the lines can bend."""
    size = np.ptp(points, axis=0).max()
    return resample(points, size / 12) if len(points) > 1 and size > 0 else points


def _simplify(points: Points, tolerance: float) -> Points:
    """Keep the corners: D. Douglas and T. Peucker, 1973."""
    if len(points) < 3:
        return points
    start, end = points[0], points[-1]
    direction = end - start
    length = np.hypot(*direction)
    if length < 1e-9:
        distances = np.hypot(*(points - start).T)
    else:
        offsets = points - start
        distances = np.abs(direction[0] * offsets[:, 1] - direction[1] * offsets[:, 0]) / length
    furthest = int(distances.argmax())
    if distances[furthest] <= tolerance:
        return np.stack([start, end])
    before = _simplify(points[: furthest + 1], tolerance)
    return np.concatenate([before[:-1], _simplify(points[furthest:], tolerance)])
