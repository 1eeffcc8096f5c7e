"""Simulated photographs of a digit on paper: uneven light, shadow, ruled lines, grain, a little blur."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnistweb.recognition.rasteriser import Coverage

Levels = NDArray[np.float64]


def simulate_photo(ink: Coverage, rng: Generator, *, ruled: bool) -> Image.Image:
    """Render strokes, float32 [H, W] in 0..1, as a colour photo of paper in a lamp's light, with shadow."""
    height, width = ink.shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    paper: Levels = np.full((height, width, 3), 1.0) * rng.uniform(0.85, 0.97, 3)
    if ruled:
        paper = _rule(paper, rng)
    pen = rng.uniform(0.05, 0.3, 3)
    picture = paper + (pen - paper) * (ink * rng.uniform(0.8, 1.0))[..., None]
    picture *= (_lamp(x, y, rng) * _shadow(x, y, rng))[..., None]
    picture += rng.normal(0, 0.02, picture.shape)
    finished = Image.fromarray(np.uint8(np.clip(picture, 0, 1) * 255))
    return finished.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))


def _rule(paper: Levels, rng: Generator) -> Levels:
    """Draw pale blue lines, a pixel or two thick, not quite level."""
    height, width, _ = paper.shape
    spacing, tilt = rng.uniform(28, 44), rng.uniform(-0.03, 0.03)
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.abs((rows + tilt * columns + rng.uniform(0, spacing)) % spacing - spacing / 2)
    line = np.clip(1.3 - distance, 0, 1)[..., None]
    ruled: Levels = paper + (np.array([0.62, 0.72, 0.86]) - paper) * line * 0.7
    return ruled


def _lamp(x: Levels, y: Levels, rng: Generator) -> Levels:
    """Compute light that falls off from a point near the page."""
    centre = rng.uniform(-0.2, 1.2, 2)
    distance = np.hypot(x - centre[0], y - centre[1])
    light: Levels = 1 - rng.uniform(0.2, 0.45) * np.clip(distance, 0, 1.4)
    return light


def _shadow(x: Levels, y: Levels, rng: Generator) -> Levels:
    """Compute the light of a soft straight shadow, darker on one side."""
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2)
    along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - offset
    light: Levels = 1 - rng.uniform(0.1, 0.35) / (1 + np.exp(-along * rng.uniform(12, 40)))
    return light
