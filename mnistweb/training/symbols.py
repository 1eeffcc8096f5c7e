"""Drawings that are not digits: letters, symbols, scribbles, dots, grids, filled areas.

Letters and symbols come from the Hershey fonts (A. V. Hershey, 1967, single-stroke vector fonts, through the
Hershey-Fonts package). The rest is made here. All functions return strokes' points in any unit.
"""

from collections.abc import Callable

import numpy as np
from HersheyFonts import HersheyFonts
from numpy.random import Generator

from mnistweb.recognition.rasteriser import Points

# Without the Greek fonts: the Greek alphabet is held out for evaluation.
FONTS = ("cursive", "cyrilc_1", "futural", "japanese", "markers", "mathlow", "scripts", "symbolic")

DIGIT_FONTS = (
    "cursive",
    "futural",
    "futuram",
    "rowmand",
    "rowmant",
    "scripts",
    "timesi",
    "timesr",
    "timesrb",
)

# Drawn by hand these look exactly like a digit, even to a person. A network trained to reject them would
# reject real digits.
LIKE_DIGITS = frozenset("0123456789OoQlI|iZzSsbqgy/\\(){},.'`!")
LIKE_DIGITS_IN = {
    "cursive": LIKE_DIGITS | frozenset("L"),
    "cyrilc_1": LIKE_DIGITS | frozenset("BHhTtXx"),  # Be, Ze, U and Che
    "japanese": frozenset(".,CLQRSikmp"),  # chi, ra, ru, ro and others
    "markers": LIKE_DIGITS | frozenset("Aa"),  # circles
    "mathlow": LIKE_DIGITS | frozenset("BGLYmpr"),  # b, g, l, y, ∂, ∫ and (
    "scripts": LIKE_DIGITS | frozenset("L"),
    "symbolic": frozenset(map(chr, range(33, 60))) | frozenset("=?@BH\\qrstvw}"),  # loops, bows, a circle
}

Drawing = tuple[Points, ...]


def hershey_glyphs() -> list[Drawing]:
    """Return letters and symbols of the Hershey fonts, without digits and their look-alikes."""
    glyphs = []
    for font in FONTS:
        hershey = HersheyFonts()
        hershey.load_default_font(font)
        for character in map(chr, range(33, 127)):
            if character in LIKE_DIGITS_IN.get(font, LIKE_DIGITS):
                continue
            strokes = tuple(np.asarray(stroke, float) for stroke in hershey.strokes_for_text(character))
            if strokes and sum(map(len, strokes)) > 3:
                glyphs.append(tuple(resample(stroke) for stroke in strokes))
    return glyphs


def hershey_digits() -> list[tuple[int, Drawing]]:
    """Return the digits 0-9 as the Hershey fonts print them."""
    found = []
    for font in DIGIT_FONTS:
        hershey = HersheyFonts()
        hershey.load_default_font(font)
        for digit in range(10):
            strokes = (np.asarray(stroke, float) for stroke in hershey.strokes_for_text(str(digit)))
            found.append((digit, tuple(resample(stroke) for stroke in strokes)))
    return found


def resample(stroke: Points, spacing: float = 1.5) -> Points:
    """Place points at even distances along the polyline, so that it can bend."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], max(2, int(along[-1] / spacing) + 1))
    return np.stack([np.interp(wanted, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


def scribble(rng: Generator) -> Drawing:
    """Draw a wandering pen: from a few loops to a tangle."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        steps = int(rng.integers(20, 160))
        turn = np.cumsum(rng.normal(0, rng.uniform(0.1, 0.8), steps)) + np.linspace(
            0, rng.normal(0, 12), steps
        )
        heading = rng.uniform(0, 2 * np.pi) + turn
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
        strokes.append(
            path / max(np.ptp(path, axis=0).max(), 1e-9) * rng.uniform(0.4, 1) + rng.uniform(0, 0.5, 2)
        )
    return tuple(strokes)


def zigzag(rng: Generator) -> Drawing:
    """Draw to and fro, as if to fill a slate or to cross something out."""
    turns = int(rng.integers(6, 24))
    y = np.linspace(0, rng.uniform(0.3, 1), turns) + rng.normal(0, 0.02, turns)
    x = np.where(np.arange(turns) % 2, 1.0, 0.0) + rng.normal(0, 0.06, turns)
    path = np.stack([x, y], axis=1)
    return (path[:, ::-1] if rng.random() < 0.5 else path,)


def dot(rng: Generator) -> Drawing:
    """Draw one dot, or several."""
    return tuple(rng.uniform(0, 1, (1, 2)) for _ in range(rng.choice([1, 1, 1, 2, 3])))


def grid(rng: Generator) -> Drawing:
    """Draw crossing lines: a hash, a ruled page, a chessboard."""
    across, down = rng.integers(0, 6), rng.integers(2, 6)
    lines = [np.array([[x, 0.0], [x, 1.0]]) for x in np.linspace(0.05, 0.95, across)]
    lines += [np.array([[0.0, y], [1.0, y]]) for y in np.linspace(0.05, 0.95, down)]
    return tuple(resample(line + rng.normal(0, 0.02, line.shape), 0.1) for line in lines)


def figure(rng: Generator) -> Drawing:
    """Draw an invented letter: three to five arcs, hooks, bars and rings, joined or crossing."""
    strokes = []
    pen = rng.uniform(0, 1, 2)
    for _ in range(rng.integers(3, 6)):
        if rng.random() < 0.55:
            pen = rng.uniform(0, 1, 2)
        heading, bow = rng.uniform(0, 2 * np.pi), rng.choice([0, 0, 1, -1]) * rng.uniform(0.5, 6.3)
        angles = heading + np.linspace(-bow / 2, bow / 2, 16)
        path = np.cumsum(np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0) / 16
        path = pen + (path - path[0]) * rng.uniform(0.3, 1)
        strokes.append(path)
        pen = path[-1]
    return tuple(strokes)


def block(rng: Generator) -> Drawing:
    """Draw a filled slate, or a filled bar."""
    rows = np.arange(0, 1, 0.02)
    width, height = rng.uniform(0.3, 1, 2)
    return tuple(np.array([[0, y * height], [width, y * height]]) for y in rows)


SHAPES: tuple[Callable[[Generator], Drawing], ...] = (
    scribble,
    zigzag,
    dot,
    grid,
    block,
    figure,
    figure,
    figure,
)
