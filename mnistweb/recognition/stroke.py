"""Find the pen's stroke among other things: ruling, page edges, shadows, frames, captions, neighbours.

Ink shows in its ground. A stroke differs from the ground on both of its sides, alike along its
whole length. It is long and thin, and it stands free. The edge of a page or of a shadow differs on one side
only. A page is wide. Bars and neighbours lie along the picture's edge. Ruling is fainter than the pen.

So the picture is split in several ways into dark and light: by its levels, and by their difference from an
uneven ground. Each region of each split is scored by these measures. The one with the best score is the
stroke, and regions like it belong to the drawing. Their ink is measured against the ground around them.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from mnistweb.recognition.ground import (
    general_ground,
    ground_around,
    otsu_split,
    otsu_threshold,
    without_lines,
)
from mnistweb.recognition.regions import (
    COARSE_SIDE,
    NOISE,
    REACH,
    Grey,
    Mask,
    Regions,
    find_regions,
    grow,
)
from mnistweb.recognition.shapes import ALIKE, near_to, shapes
from mnistweb.recognition.types import Ink, to_ink

MIN_INK = 0.05
"""Share of the range by which a stroke differs at least: faint pencil."""
MIN_SPREAD = 0.1
"""Share of the range, over which a class of levels must spread to be split again."""
MIN_EXPLAINED = 0.7
"""Share of its variance that two classes explain, if a class is split again: noise has 0.64."""
MIN_SCORE = 0.2
"""Less is an unevenness of the ground."""
CERTAIN = 0.35
"""Share of the picture's range by which a stroke differs, for which no other is looked for."""
GRAIN = 0.75
"""Mean square of neighbours' differences over that of any two pixels. A small drawing has up to 0.5."""
TINY = 20
"""Pixels on the longer side, up to which a drawing's neighbouring pixels may differ as noise does."""
CONNECTED = 0.33
"""Share of the stroke's contrast that ink has which is connected with it."""


class Stroke(NamedTuple):
    """The region `main` of a split of the picture into regions; `light` on dark, or dark on light."""

    score: float
    light: bool
    regions: Regions
    main: int
    members: Mask
    certain: bool


def find_stroke(planes: Iterable[Grey]) -> Ink:
    """Find ink, uint8 [H, W], in planes of one picture, float32 [H, W] in 0..1, the likeliest first.

    The first certain stroke is taken, or else the one with the best score.
    """
    best: tuple[Stroke, Grey] | None = None
    for grey in planes:
        stroke = _best_stroke(grey)
        if stroke and (best is None or stroke.score > best[0].score):
            best = stroke, grey
        if best and best[0].certain:
            break
    if best is None:
        return np.zeros(grey.shape, np.uint8)
    stroke, grey = best
    return _measure(1 - grey if stroke.light else grey, stroke)


def _best_stroke(grey: Grey) -> Stroke | None:
    coarse = _reduce(grey)
    if max(grey.shape) > TINY and _is_grain(coarse):
        return None
    best: Stroke | None = None
    for stroke in _candidates(coarse):
        if best is None or stroke.score > best.score:
            best = stroke
        if best.certain and stroke.light:
            break
    return best


def _is_grain(grey: Grey) -> bool:
    """Return whether neighbouring pixels differ as much as any two: noise, or nothing."""
    if grey.shape[1] == 1:
        return False
    return float(np.square(np.diff(grey)).mean()) >= GRAIN * 2 * float(grey.var())


def _reduce(grey: Grey) -> Grey:
    picture = Image.fromarray(grey)
    picture.thumbnail((COARSE_SIDE, COARSE_SIDE), Image.Resampling.BOX)
    return np.asarray(picture)


def _candidates(grey: Grey) -> Iterator[Stroke]:
    negative = 1 - grey
    for light, mask in _splits(grey):
        regions = find_regions(mask)
        if not regions.count:
            continue
        depth = regions.depth(negative if light else grey)
        shape = shapes(regions)
        scores = np.maximum(depth, 0) ** 1.5 * regions.length * shape
        main = int(scores.argmax())
        if scores[main] < MIN_SCORE:
            continue
        members = _members(regions, main, depth, scores)
        rest = 1 - regions.area[members].sum() / regions.area.sum()
        certain = bool(
            shape[main] > 0.5
            and regions.on_edge[main] == 0
            and rest < 0.05
            and depth[main] > CERTAIN * np.ptp(grey)
        )
        yield Stroke(float(scores[main]), light, regions, main, members, certain)


def _splits(grey: Grey) -> Iterator[tuple[bool, Mask]]:
    """Split the picture into dark and light; yield whether a mask is of what is light."""
    for threshold in _thresholds(grey):
        dark = grey < threshold
        yield False, dark
        yield True, ~dark
    difference = grey - general_ground(grey)
    for threshold in _thresholds(np.abs(difference)):
        yield False, difference < -threshold
        yield True, difference > threshold


def _thresholds(values: Grey) -> Iterator[float]:
    """Yield the threshold between two classes of values, and those within a class that is two."""
    middle = otsu_threshold(values)
    yield middle
    low = values < middle
    for part in (values[low], values[~low]):
        if part.size and np.ptp(part) > MIN_SPREAD:
            threshold, explained = otsu_split(part)
            if explained > MIN_EXPLAINED:
                yield threshold


def _members(regions: Regions, main: int, depth: Grey, scores: Grey) -> Mask:
    """Choose the regions that belong to the drawing with the main stroke: no specks, no fragments."""
    length, edge = regions.length, regions.on_edge
    deep: Mask = depth > 0.5 * depth[main]
    pen = min(regions.width[main], 0.15 * length[main])
    parts = deep & (regions.area > 0.5 * pen**2) & (scores > 0.02 * scores[main])
    line = (edge > 0.3) | ((length > 0.9 * max(regions.shape)) & (edge > 0))
    near = near_to(regions, main, parts & ((edge == 0) | ((length > 0.5 * length[main]) & ~line)))
    members: Mask = near | (parts & (edge == 0) & (regions.height > ALIKE * regions.height[near].max()))
    # A page full of signs is no drawing of one.
    around = (regions.box[:2] < regions.box[:2, [main]]) & (regions.box[2:] > regions.box[2:, [main]])
    others = deep & (edge == 0) & ~around.all(axis=0)
    if regions.area[members].sum() < 0.3 * regions.area[others].sum():
        members = deep
    return members


def _measure(grey: Grey, stroke: Stroke) -> Ink:
    """Measure the ink of a dark stroke, and of what is connected with it, against the ground around it."""
    coarse = _reduce(grey)
    width = stroke.regions.width[stroke.main]
    reach = int(np.clip(round(width / 2), *REACH))
    mask = stroke.regions.mask(stroke.members)
    # A shadow's edge may cross the stroke, and the ground on both sides is not one.
    ground = np.minimum(ground_around(coarse, mask, reach), without_lines(coarse, round(3 * width)))
    contrast = ground - coarse
    faint = find_regions(mask | (contrast > CONNECTED * np.percentile(contrast[mask], 90)))
    mask = faint.mask(faint.meeting(mask))
    near = grow(mask, reach)
    ring = grow(near, 2) & ~near
    contrast = _enlarge(ground, grey, Image.Resampling.BILINEAR) - grey
    full = np.percentile(contrast[_enlarge(mask, grey)], 90)
    if full < MIN_INK:
        return np.zeros(grey.shape, np.uint8)
    around = np.abs(contrast[_enlarge(ring, grey)])
    low = min(1.5 * np.percentile(around, 90), 0.2 * full) if around.size else 0.0
    ink = np.clip((contrast - low) / (full - low), 0, 1)
    return to_ink(np.where(_enlarge(near, grey) & (contrast > min(NOISE / 255, full / 2)), ink, 0))


def _enlarge(plane: Any, like: Grey, how: Image.Resampling = Image.Resampling.NEAREST) -> Any:
    return np.asarray(Image.fromarray(plane).resize(like.shape[::-1], how))
