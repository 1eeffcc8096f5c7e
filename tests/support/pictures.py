"""Pictures of drawn digits as people bring them: on ruled paper, in a scan, beside a shadow, cut out tightly.

Each function takes a digit's clean drawing and draws what surrounds it, dark ink on light ground.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnistweb.recognition.rasteriser import Stroke, rasterise
from mnistweb.recognition.types import Ink
from tests.support.drawings import SIDE, STROKES

Levels = NDArray[np.float64]
Scene = Callable[[Ink], Levels]
"""From ink, float [280, 280] in 0..1, to levels [H, W] in 0..1 with 1 for white."""
INK = 0.12


def drawn(digit: int, width: float) -> Ink:
    """Return the ink of a digit drawn with a pen of that width."""
    return rasterise([Stroke(np.array(line, np.float64), width) for line in STROKES[digit]])


def on(ground: Levels | float, ink: Ink, pen: float = INK) -> Levels:
    """Draw ink on a ground."""
    return ground + (pen - ground) * ink


def grain(levels: Levels, amount: float = 0.015) -> Levels:
    """Add a camera's noise, and soften as its lens does."""
    noise = np.random.default_rng(1).normal(0, amount, levels.shape)
    picture = Image.fromarray((levels + noise).astype(np.float32))
    return np.asarray(picture.filter(ImageFilter.BoxBlur(1))) if False else levels + noise


def place() -> tuple[Levels, Levels]:
    """Return x and y in 0..1 of each pixel."""
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    return x, y


def lines(distance: Levels, thick: float = 2) -> Levels:
    """Return lines where `distance` [pixels] is near 0, antialiased."""
    return np.clip(thick / 2 + 0.5 - np.abs(distance), 0, 1)


def ruled(ink: Ink) -> Levels:
    x, y = place()
    rule = lines((y * SIDE + 3 * x + 9) % 36 - 18)
    return grain(on(0.82 - 0.2 * rule, ink))


def squared(ink: Ink) -> Levels:
    x, y = place()
    rule = np.maximum(lines((y * SIDE + 6 * x + 20) % 60 - 30, 3), lines((x * SIDE - 6 * y + 11) % 60 - 30, 3))
    return grain(on(0.8 - 0.3 * rule, ink))


def strongly_squared(ink: Ink) -> Levels:
    x, y = place()
    rule = np.maximum(lines((y * SIDE + 20) % 70 - 35), lines((x * SIDE + 11) % 70 - 35))
    return on(0.95 - 0.4 * rule, ink)


def shadow(ink: Ink) -> Levels:
    x, y = place()
    light = 1 - 0.35 / (1 + np.exp(-(x + 0.6 * y - 0.95) * 60))
    return grain(on(0.85, ink) * light)


def lamp(ink: Ink) -> Levels:
    x, y = place()
    return grain(on(0.9, ink) * (1 - 0.55 * np.hypot(x, y) / 1.4))


def fold(ink: Ink) -> Levels:
    x, y = place()
    return grain(on(0.86 - 0.12 * (x > 0.8) - 0.1 * lines((x - 0.8) * SIDE, 3), ink))


def page_edge(ink: Ink) -> Levels:
    x, y = place()
    levels = on(0.85, ink)
    return grain(np.where(x + 0.08 * y > 0.93, 0.3, levels))


def page_corner(ink: Ink) -> Levels:
    x, y = place()
    levels = on(0.85, ink)
    return grain(np.where((x - 0.1 * y > 0.83) | (y + 0.1 * x > 0.95), 0.35, levels))


def edge_line(ink: Ink) -> Levels:
    levels = on(1.0, ink)
    levels[:, -2:] = 0.3
    return levels


def edge_line_inside(ink: Ink) -> Levels:
    levels = on(1.0, ink)
    levels[:, 6:9] = 0.3
    return levels


def caption(ink: Ink) -> Levels:
    bar = np.full((60, SIDE), 0.35)
    bar[24:36, 20:140:8] = 0.95  # the letters of a title
    bar[24:36, 21:140:8] = 0.95
    return np.concatenate([bar, on(1.0, ink)])


def caption_dark(ink: Ink) -> Levels:
    return np.concatenate([np.full((50, SIDE), INK), on(1.0, ink), np.full((30, SIDE), INK)])


def letterbox(ink: Ink) -> Levels:
    bands = np.zeros((SIDE, 110))
    return np.concatenate([bands, on(1.0, ink), bands], axis=1)


def letterbox_thin(ink: Ink) -> Levels:
    bands = np.zeros((30, SIDE))
    return np.concatenate([bands, on(1.0, ink), bands])


def page_on(ground: float, paper: float, margin: int) -> Scene:
    def scene(ink: Ink) -> Levels:
        return np.pad(on(paper, ink, min(INK, paper / 3)), margin, constant_values=ground)

    return scene


def scan_in_margin(ink: Ink) -> Levels:
    return np.pad(grain(on(0.88, ink)), 60, constant_values=1.0)


def neighbours(ink: Ink) -> Levels:
    ink = ink.copy()
    ink[100:150, :14] = ink[180:230, -10:] = ink[:8, 120:170] = 1
    return on(0.95, ink)


def tight(ink: Ink) -> Levels:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.1), np.flatnonzero(ink.max(axis=0) > 0.1)
    return on(1.0, ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def tight_photo(ink: Ink) -> Levels:
    return grain(tight(ink) * 0.8)


def at_edge(ink: Ink) -> Levels:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.1), np.flatnonzero(ink.max(axis=0) > 0.1)
    return on(1.0, np.roll(ink, (-rows[0] - 5, -columns[0] - 5), (0, 1)))


def pencil(ink: Ink) -> Levels:
    x, y = place()
    return grain(on(0.75, 0.35 * ink) * (1 - 0.2 * x))


SCENES: dict[str, Scene] = {
    "ruled paper": ruled,
    "squared paper": squared,
    "strongly squared paper": strongly_squared,
    "shadow": shadow,
    "lamp": lamp,
    "fold": fold,
    "page edge": page_edge,
    "page corner": page_corner,
    "line at the edge": edge_line,
    "line near the edge": edge_line_inside,
    "caption": caption,
    "caption dark": caption_dark,
    "letterbox": letterbox,
    "letterbox thin": letterbox_thin,
    "grey page on white": page_on(1.0, 0.82, 60),
    "mid-grey page on white": page_on(1.0, 0.5, 60),
    "white page on black": page_on(0.0, 1.0, 60),
    "grey page on black": page_on(0.0, 0.7, 60),
    "small page on black": page_on(0.0, 1.0, 200),
    "small page on grey": page_on(0.5, 1.0, 200),
    "scan in a white margin": scan_in_margin,
    "neighbours": neighbours,
    "tight": tight,
    "tight photo": tight_photo,
    "at the edge": at_edge,
    "pencil": pencil,
}


def picture(scene: Scene, digit: int, width: float, side: int = SIDE, *, light: bool = False) -> Image.Image:
    """Draw a scene with a digit as a grey picture whose longer side is `side`; `light` is its negative."""
    levels = np.clip(scene(drawn(digit, width)), 0, 1)
    grey = Image.fromarray(np.rint(255 * (1 - levels if light else levels)).astype(np.uint8))
    scale = side / max(grey.size)
    return grey if scale == 1 else grey.resize((round(grey.width * scale), round(grey.height * scale)), Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
