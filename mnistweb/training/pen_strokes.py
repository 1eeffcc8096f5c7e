"""Pen strokes: read from files, and redrawn with random variation.

A file is a gzipped JSON list of objects with `strokes` ([[[x, y], ...], ...], y down, any unit) and `writer`.
`label` is a digit's number (0-9), or the character that a letter or sign is, such as "e". A symbol of another
alphabet has `alphabet` and `character` instead.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from mnistweb.recognition.rasteriser import SLATE, Points, Stroke

NOT_A_DIGIT = 10
DIGIT, LETTER = "digit", "letter"
"""Kinds of samples; a symbol's kind is its alphabet."""


class DataFileError(RuntimeError):
    """A data file is missing or broken; the message names it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One drawing: points of its strokes, class 0-9 or 10 for "not a digit", writer and kind.

    A `writer` is a number, or a name after that of the institution which collected the drawing ("ibm/jak").
    """

    strokes: tuple[Points, ...]
    label: int
    writer: str
    kind: str
    character: str = ""


def read_samples(path: Path) -> list[Sample]:
    """Read a file of strokes. Raises DataFileError, which names the file."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            entries = json.load(file)
        samples = [_sample(entry) for entry in entries]
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{path}: not a gzipped JSON list of pen strokes ({error})") from error
    if not samples:
        raise DataFileError(f"{path}: contains no drawings")
    return samples


def _sample(entry: dict[str, Any]) -> Sample:
    strokes = tuple(np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"] if stroke)
    if not strokes or not all(np.isfinite(stroke).all() for stroke in strokes):
        raise ValueError("a drawing without finite points")
    writer, label = str(entry["writer"]), entry.get("label")
    if label is None:
        return Sample(strokes, NOT_A_DIGIT, writer, str(entry["alphabet"]), str(entry["character"]))
    if isinstance(label, str):
        return Sample(strokes, NOT_A_DIGIT, writer, LETTER, label)
    if not 0 <= int(label) <= 9:
        raise ValueError(f"label {label} is not a digit")
    return Sample(strokes, int(label), writer, DIGIT)


@dataclass(frozen=True, slots=True)
class Variation:
    """Limits of the random variation of a redrawing: maxima, or ranges."""

    rotation: float = 14.0  # degrees
    slant: float = 0.3
    aspect: tuple[float, float] = (0.72, 1.38)
    bend: float = 0.05  # of the drawing's size: a smooth deformation
    tremor: float = 0.012  # of the drawing's size: an unsteady hand
    size: tuple[float, float] = (0.15, 0.95)  # of the slate
    pen: tuple[float, float] = (0.02, 0.26)  # brush width, of the drawing's longer side
    sparse: float = 0.25  # share of drawings that keep only every few points
    loose: float = 0.03  # of the drawing's size: independent shift of each stroke
    coarse: float = 0.2  # share of drawings on a few pixels, as in a small picture or a scan


USUAL_VARIATION = Variation()


def redraw(strokes: Sequence[Points], rng: Generator, variation: Variation) -> list[Stroke]:
    """Redraw with random variation: turned, slanted, bent, shaken, with another pen, at another place.

    Takes points in any unit and returns strokes in slate units, wholly on the slate.
    """
    points = np.concatenate(strokes)
    lengths = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    if variation.loose:
        points = np.concatenate(_loosen(strokes, rng, variation.loose * np.ptp(points, axis=0).max()))
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    points = points / max(np.ptp(points, axis=0).max(), 1e-9)
    points = _bend(points, rng, variation.bend)
    points = points @ _affine(rng, variation).T
    drawn = np.split(_tremble(points, rng, variation.tremor), lengths)
    if rng.random() < variation.sparse:
        drawn = [_thin_out(stroke, int(rng.integers(2, 6))) for stroke in drawn]
    points = np.concatenate(drawn)
    middle, extent = (points.min(axis=0) + points.max(axis=0)) / 2, max(np.ptp(points, axis=0).max(), 1e-9)
    size = SLATE * rng.uniform(*variation.size)
    width = min(size * np.exp(rng.uniform(*np.log(variation.pen))), 0.5 * SLATE)
    scale = max(size - width, 1.0) / extent
    room = max(SLATE - size, 0) / 2
    place = SLATE / 2 + rng.uniform(-room, room, 2)
    return [Stroke((stroke - middle) * scale + place, width) for stroke in drawn]


def _loosen(strokes: Sequence[Points], rng: Generator, amount: float) -> list[Points]:
    """Shift each stroke a little, and stretch it about its own middle."""
    loosened = []
    for stroke in strokes:
        middle = (stroke.min(axis=0) + stroke.max(axis=0)) / 2
        stretch = np.exp(rng.normal(0, 0.12, 2))
        loosened.append((stroke - middle) * stretch + middle + rng.normal(0, amount, 2))
    return loosened


def _affine(rng: Generator, variation: Variation) -> Points:
    angle = np.deg2rad(rng.uniform(-variation.rotation, variation.rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[1, rng.uniform(-variation.slant, variation.slant)], [0, 1]])
    stretch = np.exp(rng.uniform(*np.log(variation.aspect)))
    return np.asarray(turn @ slant @ np.diag([np.sqrt(stretch), 1 / np.sqrt(stretch)]))


def _bend(points: Points, rng: Generator, amount: float) -> Points:
    """Displace by a few random waves, so that neighbouring points move together."""
    waves = rng.normal(0, 1.6, (3, 2)) * 2 * np.pi / 2
    phases = rng.uniform(0, 2 * np.pi, 3)
    directions = rng.normal(0, amount / np.sqrt(3), (3, 2))
    return points + np.sin(points @ waves.T + phases) @ directions


def _tremble(points: Points, rng: Generator, amount: float) -> Points:
    noise = rng.normal(0, 1, points.shape)
    if len(points) >= 3:
        noise[1:-1] = (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3)
    return points + noise * amount * rng.random()


def _thin_out(stroke: Points, step: int) -> Points:
    """Keep only every few points, as a fast mouse does; the ends stay."""
    if len(stroke) <= 2 * step:
        return stroke
    return np.concatenate([stroke[:-1:step], stroke[-1:]])
