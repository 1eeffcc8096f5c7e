"""The path of a pen through the strokes of a drawing, and the ink along it.

The segments are those of the slate (static/js/slate/render.js). A dot is where the pen touches down. Capsules
follow from point to point, as wide as the pressure at both ends says.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistweb.predictions.strokes import Stroke, Strokes
from mnistweb.recognition.rasteriser import SLATE, Coverage, draw_capsule

MAX_POINTS = 1000
"""Points that are drawn, besides the ends of strokes: a longer drawing is thinned evenly."""
MAX_PIXELS = 4_000_000
"""Pixels in the boxes of all segments. A drawing with more, by wide pens and long lines, is drawn smaller."""
MIN_SLATE = 1e-3
"""The smallest side of a slate, in its own units. Anything smaller would overflow when it is scaled."""

MIN_AMOUNT = 1e-9
"""Pixels that a segment counts at least, so that a pen that never moved has a path as well."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cut:
    """A place at which the drawing is cut: after the share `part` 0..1 of a segment.

    `at` 0..1 is the share of the pen's whole way, moves in the air included, at which more ink follows.
    """

    segment: int
    part: float
    at: float


@dataclass(frozen=True, slots=True)
class PenPath:
    """The segments of all strokes in order, in pixels of a slate with `side` pixels on a side, at most 280.

    `starts` and `ends` are float64 [n, 2], `radii` [n]. `from_way` and `to_way` [n] are the distances that
    the pen has travelled at both ends of a segment. `touches` [n] marks the dots at the beginning of strokes.
    """

    starts: Numbers
    ends: Numbers
    radii: Numbers
    from_way: Numbers
    to_way: Numbers
    touches: NDArray[np.bool_]
    side: int

    @classmethod
    def of(cls, drawing: Strokes) -> "PenPath":
        """Lay out the strokes of a drawing, which has at least one."""
        strokes = drawing["strokes"]
        scale = SLATE / max(drawing["size"], MIN_SLATE)
        points = scale * np.array([point[:2] for stroke in strokes for point in stroke["points"]], float)
        radii = scale / 2 * np.array([width for stroke in strokes for width in _widths(stroke)])
        touches = _firsts([len(stroke["points"]) for stroke in strokes])
        way = np.cumsum(np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T))
        kept = _thinned(touches)
        points, radii, way, touches = points[kept], radii[kept], way[kept], touches[kept]
        before = np.arange(len(points)) - ~touches  # a dot starts where it ends
        starts, radii = points[before], (radii[before] + radii) / 2
        side = _affordable_side(np.minimum(starts, points), np.maximum(starts, points), radii)
        shrunk = side / SLATE
        return cls(
            starts * shrunk,
            points * shrunk,
            radii * shrunk,
            way[before] * shrunk,
            way * shrunk,
            touches,
            side,
        )

    def cuts(self, count: int) -> list[Cut]:
        """Cut the path into at most `count` parts with equally much ink, and where strokes end."""
        lasts = _lasts(self.touches)
        # A stroke that is a dot counts by its width: else a drawing of dots alone would have no length.
        amounts = np.where(self.touches & lasts, 2 * self.radii, self.to_way - self.from_way)
        inked = np.cumsum(np.maximum(amounts, MIN_AMOUNT))
        targets = inked[-1] * np.arange(1, count + 1) / count
        nearest = np.clip(np.rint(inked[lasts] / inked[-1] * count), 1, count).astype(int)
        targets[nearest - 1] = inked[lasts]
        # Of cuts at the same place the last has all the ink.
        cuts = {}
        for target, segment in zip(targets, np.searchsorted(inked, targets).tolist(), strict=True):
            cut = self._cut(segment, float(inked[segment] - target))
            cuts[cut.at] = cut
        return list(cuts.values())

    def frames(self, cuts: Sequence[Cut]) -> Iterator[Coverage]:
        """Yield what is drawn up to each cut: float32 [side, side] in 0..1."""
        covered = np.zeros((self.side, self.side), np.float32)
        drawn = 0
        for cut in cuts:
            for segment in range(drawn, cut.segment):
                draw_capsule(covered, self.starts[segment], self.ends[segment], self.radii[segment])
            drawn = cut.segment
            frame = covered.copy()
            start = self.starts[drawn]
            draw_capsule(frame, start, start + cut.part * (self.ends[drawn] - start), self.radii[drawn])
            yield frame

    def _cut(self, segment: int, missing: float) -> Cut:
        """Cut a segment `missing` pixels before its end."""
        length = self.to_way[segment] - self.from_way[segment]
        part = float(1 - missing / length) if length else 1.0
        way = self.from_way[segment] + part * length
        if part == 1 and segment + 1 < len(self.touches):
            way = self.from_way[segment + 1]  # through the air, if the pen is lifted here
        total = self.to_way[-1]
        return Cut(segment, part, round(float(way / total), 4) if total else 1.0)


def _affordable_side(low: Numbers, high: Numbers, radii: Numbers) -> int:
    reach = radii[:, np.newaxis] + 1
    boxes = np.clip(high + reach, 0, SLATE) - np.clip(low - reach, 0, SLATE)
    pixels = float(boxes.prod(axis=1).sum())
    return SLATE if pixels <= MAX_PIXELS else int(SLATE * math.sqrt(MAX_PIXELS / pixels))


def _widths(stroke: Stroke) -> list[float]:
    # Half pressure draws the stroke's own width; the first point says if a stroke has pressure.
    width, points = stroke["width"], stroke["points"]
    if len(points[0]) < 3:
        return [width] * len(points)
    return [width * (0.5 + point[2]) if len(point) == 3 else width for point in points]


def _firsts(lengths: Sequence[int]) -> NDArray[np.bool_]:
    firsts = np.zeros(sum(lengths), bool)
    firsts[np.cumsum([0, *lengths[:-1]])] = True
    return firsts


def _lasts(firsts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.append(firsts[1:], True)


def _thinned(firsts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    step = -(-len(firsts) // MAX_POINTS)
    kept: NDArray[np.bool_] = firsts | _lasts(firsts) | (np.arange(len(firsts)) % step == 0)
    return kept
