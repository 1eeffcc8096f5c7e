"""Pictures of digits as people bring them: on ruled paper, in a shadow, in a scan's margin, cut out tightly.

A scene takes what a digit covers, float [280, 280] in 0..1. It returns levels in 0..1, dark on light.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.rasteriser import Coverage, Stroke, rasterise
from tests.support.drawings import SIDE, STROKES

Levels = NDArray[np.float64]
Scene = Callable[[Coverage], Levels]
PEN = 0.12
Y, X = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]


def covered_by(digit: int, width: float) -> Coverage:
    """Return what a digit covers that is drawn with a pen of that width."""
    return rasterise([Stroke(np.array(line, np.float64), width) for line in STROKES[digit]])


def on(ground: Levels | float, ink: Coverage, pen: float = PEN) -> Levels:
    """Draw ink on a ground."""
    return np.asarray(ground + (pen - ground) * ink, np.float64)


def grain(levels: Levels) -> Levels:
    """Add a camera's noise."""
    return levels + np.random.default_rng(1).normal(0, 0.015, levels.shape)


def lines(place: Levels, spacing: float, thick: float = 2) -> Levels:
    """Return lines 0..1 where `place`, in pixels, is a multiple of `spacing`."""
    return np.clip(thick / 2 + 0.5 - np.abs(place % spacing - spacing / 2), 0, 1)


RULES = lines(Y * SIDE + 3 * X + 9, 36)
SQUARES = np.maximum(lines(Y * SIDE + 6 * X + 20, 60, 3), lines(X * SIDE - 6 * Y + 11, 60, 3))
SHADOW = 1 - 0.35 / (1 + np.exp(-(X + 0.6 * Y - 0.95) * 60))
HAND = 1 - 0.4 * (X + 0.3 * Y > 0.62)
LAMP = 1 - 0.55 * np.hypot(X, Y) / 1.4
FOLD = 0.86 - 0.12 * (X > 0.8) - 0.1 * (np.abs(X - 0.8) < 0.006)


def _beside(ink: Coverage, *places: tuple[slice, slice], level: float = PEN) -> Levels:
    levels = on(1.0, ink)
    for place in places:
        levels[place] = level
    return levels


def _framed(inset: int, thick: int) -> Scene:
    def draw(ink: Coverage) -> Levels:
        inner = slice(inset + thick, -inset - thick)
        frame = np.full(ink.shape, PEN)
        frame[inner, inner] = on(1.0, ink)[inner, inner]
        return np.pad(frame[inset:-inset, inset:-inset], inset, constant_values=1.0)

    return draw


def _caption(ink: Coverage) -> Levels:
    bar = np.full((60, SIDE), 0.35)
    bar[24:36, 20:140:8] = 0.95
    return np.concatenate([bar, on(1.0, ink)])


def _page(paper: float, margin: int, around: float) -> Scene:
    return lambda ink: np.pad(on(paper, ink, min(PEN, paper / 3)), margin, constant_values=around)


def _tight(ink: Coverage) -> Levels:
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.1) for axis in (1, 0))
    return on(1.0, ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _ring(radius: float, thick: float = 10) -> Levels:
    """Return a ring 0..1 around the digit's middle, `thick` pixels wide."""
    beyond = np.hypot(X - 0.5, Y - 0.5) * SIDE - radius
    return np.asarray(np.clip(thick / 2 + 0.5 - np.abs(beyond), 0, 1), np.float64)


def _box(reach: float, thick: float = 10) -> Levels:
    """Return a box 0..1 drawn by hand around the digit's middle, a little tilted."""
    across, down = (X - 0.5) * SIDE, (Y - 0.5) * SIDE
    outside = np.maximum(np.abs(across + 0.06 * down), np.abs(down - 0.08 * across)) - reach
    return np.asarray(np.clip(thick / 2 + 0.5 - np.abs(outside), 0, 1), np.float64)


def _drawn_around(shape: Levels) -> Scene:
    return lambda ink: grain(0.85 * on(1.0, np.maximum(_shrunk(ink), shape)))


def _shrunk(ink: Coverage, share: float = 0.7) -> Coverage:
    """Return the ink reduced to a share of its size, in the middle."""
    side = round(SIDE * share / 2) * 2
    small = Image.fromarray(ink).resize((side, side), Image.Resampling.BILINEAR)
    return np.pad(np.asarray(small), (SIDE - side) // 2)


def _table(ink: Coverage) -> Levels:
    table = _shrunk(ink, 0.6)
    table[36:39], table[240:243], table[:, 40:43], table[:, 234:237] = 1, 1, 1, 1
    table[10:24, 60:120:7] = table[255:268, 150:220:6] = 1
    return grain(0.85 * on(1.0, table))


def _screenshot(ink: Coverage) -> Levels:
    screen = on(1.0, np.pad(ink, ((250, 150), (60, 60))))
    screen[16:32, 20:70:9] = screen[18:30, 340:380] = screen[70:90, 30:110:12] = PEN
    screen[110], screen[664:669, 135:265] = 0.7, PEN
    return screen


def _diagram(ink: Coverage) -> Levels:
    diagram = np.pad(on(PEN, ink, 1.0), 60, constant_values=1.0)
    diagram[340:345, 70:340:50] = diagram[70:340:50, 55:60] = PEN
    diagram[352:362, 66:340:50] = diagram[66:340:50, 36:46] = diagram[20:36, 150:240:8] = PEN
    return diagram


def _beside_pen(ink: Coverage) -> Levels:
    levels = 0.85 * on(1.0, np.pad(ink, ((0, 0), (0, 100))))
    levels[40:, 330:345] = 0.1
    return grain(levels * np.linspace(1, 0.8, 380))


SCENES: dict[str, Scene] = {
    "ruled paper": lambda ink: grain(on(0.82 - 0.2 * RULES, ink)),
    "squared paper": lambda ink: grain(on(0.8 - 0.22 * SQUARES, ink)),
    "shadow": lambda ink: grain(on(0.85, ink) * SHADOW),
    "hand's shadow": lambda ink: grain(on(0.85, ink) * HAND),
    "lamp": lambda ink: grain(on(0.9, ink) * LAMP),
    "fold": lambda ink: grain(on(FOLD, ink)),
    "pencil": lambda ink: grain(on(0.75, 0.35 * ink) * (1 - 0.2 * X)),
    "page's edge": lambda ink: grain(np.where(X + 0.08 * Y > 0.93, 0.3, on(0.85, ink))),
    "page's corner": lambda ink: grain(
        np.where((X - 0.1 * Y > 0.83) | (Y + 0.1 * X > 0.95), 0.35, on(0.85, ink))
    ),
    "line at the edge": lambda ink: _beside(ink, np.s_[:, -2:], level=0.3),
    "line near the edge": lambda ink: _beside(ink, np.s_[:, 6:9], level=0.3),
    "neighbours": lambda ink: _beside(ink, np.s_[100:150, :14], np.s_[180:230, -10:], np.s_[:8, 120:170]),
    "caption": _caption,
    "canvas with a border": _framed(2, 2),
    "cell of a form": _framed(8, 5),
    "letterbox": lambda ink: np.pad(on(1.0, ink), ((0, 0), (110, 110))),
    "bands": lambda ink: np.pad(on(1.0, ink), ((50, 30), (0, 0)), constant_values=PEN),
    "grey page on white": _page(0.82, 60, 1.0),
    "mid-grey page on white": _page(0.5, 60, 1.0),
    "white page on black": _page(1.0, 60, 0.0),
    "small page on grey": _page(1.0, 200, 0.5),
    "scan in a white margin": lambda ink: np.pad(grain(on(0.88, ink)), 60, constant_values=1.0),
    "circle": _drawn_around(_ring(100)),
    "box drawn by hand": _drawn_around(_box(90)),
    "table": _table,
    "phone's screen": _screenshot,
    "diagram": _diagram,
    "pen on the paper": _beside_pen,
    "scanner's bar": lambda ink: _beside(
        np.pad(ink, ((300, 120), (100, 100))), np.s_[40:48, 40:-40], level=0.2
    ),
    "no margin": _tight,
    "photo without a margin": lambda ink: grain(0.8 * _tight(ink)),
}
"""Scenes by the thing that surrounds the digit."""

NOISE = np.random.default_rng(2).random((SIDE, SIDE))
EMPTY: dict[str, Levels] = {
    "flat": np.full((SIDE, SIDE), 0.8),
    "grain": grain(np.full((SIDE, SIDE), 0.8)),
    "noise": NOISE,
    "faint noise": 0.5 + 0.3 * (NOISE - 0.5),
    "uneven light": 0.25 + 0.6 * X * Y,
    "shadow": grain(0.85 * SHADOW),
    "two halves": np.where(X > 0.5, 0.9, 0.1),
}
"""Pictures without ink."""


def picture(levels: Levels, *, light: bool = False, share: float = 1) -> Image.Image:
    """Return levels as a grey picture, reduced to a share of their size; `light` is the negative."""
    grey = Image.fromarray(np.rint(255 * np.clip(1 - levels if light else levels, 0, 1)).astype(np.uint8))
    return grey.resize((round(grey.width * share), round(grey.height * share)), Image.Resampling.BOX)
