"""Drawings as pen strokes: read from files, and drawn again the way another hand might have.

A file is a gzipped JSON list of objects with `strokes` ([[[x, y], ...], ...], y down, any unit), `writer`
and either `label` (0-9) or `alphabet` and `character` (a symbol that is no digit).
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from mnistweb.training.rasteriser import SLATE, Points, Stroke

NOT_A_DIGIT = 10


class DataFileError(RuntimeError):
    """A data file is missing or broken; the message names it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One drawing: its strokes' points, class 0-9 or 10 for "not a digit", who drew it, what it is."""

    strokes: tuple[Points, ...]
    label: int
    writer: int
    kind: str
    character: str = ""


def read_samples(path: Path) -> list[Sample]:
    """Read a file of strokes. Raises DataFileError, naming the file, where it can't be used."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            entries = json.load(file)
        samples = [_sample(entry) for entry in entries]
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: there is no such file") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{path}: not a gzipped JSON list of pen strokes ({error})") from error
    if not samples:
        raise DataFileError(f"{path}: holds no drawings")
    return samples


def _sample(entry: dict[str, Any]) -> Sample:
    strokes = tuple(np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"] if stroke)
    if not strokes or not all(np.isfinite(stroke).all() for stroke in strokes):
        raise ValueError("a drawing without finite points")
    if "label" in entry:
        label = int(entry["label"])
        if not 0 <= label <= 9:
            raise ValueError(f"label {label} is not a digit")
        return Sample(strokes, label, int(entry["writer"]), "digit")
    return Sample(strokes, NOT_A_DIGIT, int(entry["writer"]), str(entry["alphabet"]), str(entry["character"]))


@dataclass(frozen=True, slots=True)
class Hand:
    """How far a redrawing may depart from the original; each value is the most, or a range."""

    rotation: float = 14.0  # degrees
    slant: float = 0.3
    aspect: tuple[float, float] = (0.72, 1.38)
    bend: float = 0.045  # of the drawing's size: a smooth deformation
    tremor: float = 0.012  # of the drawing's size: an unsteady hand
    size: tuple[float, float] = (0.15, 0.95)  # of the slate
    pen: tuple[float, float] = (0.02, 0.26)  # brush width, of the drawing's longer side
    sparse: float = 0.25  # share of drawings of which only every few points are kept
    loose: float = 0.0  # of the drawing's size: how far each stroke goes its own way


USUAL = Hand()
FREE = Hand(bend=0.06, loose=0.05)
"""Further from the original: as many hands as can be made of the few that there are."""

STILL = Hand(0, 0, (1, 1), 0, 0, (0.55, 0.75), (0.08, 0.08), 0)


def redraw(strokes: Sequence[Points], rng: Generator, hand: Hand) -> list[Stroke]:
    """The same drawing by another hand: turned, slanted, bent, shaken, with another pen, elsewhere.

    Takes points in any unit and returns strokes in slate units, wholly on the slate.
    """
    points = np.concatenate(strokes)
    lengths = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    if hand.loose:
        points = np.concatenate(_loosen(strokes, rng, hand.loose * np.ptp(points, axis=0).max()))
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    points = points / max(np.ptp(points, axis=0).max(), 1e-9)
    points = _bend(points, rng, hand.bend)
    points = points @ _affine(rng, hand).T
    drawn = np.split(_tremble(points, rng, hand.tremor), lengths)
    if rng.random() < hand.sparse:
        drawn = [_thin_out(stroke, int(rng.integers(2, 6))) for stroke in drawn]
    points = np.concatenate(drawn)
    middle, extent = (points.min(axis=0) + points.max(axis=0)) / 2, max(np.ptp(points, axis=0).max(), 1e-9)
    size = SLATE * rng.uniform(*hand.size)
    width = min(size * np.exp(rng.uniform(*np.log(hand.pen))), 0.5 * SLATE)
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


def _affine(rng: Generator, hand: Hand) -> Points:
    angle = np.deg2rad(rng.uniform(-hand.rotation, hand.rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[1, rng.uniform(-hand.slant, hand.slant)], [0, 1]])
    stretch = np.exp(rng.uniform(*np.log(hand.aspect)))
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
    """Every few points only, as a fast mouse gives them; the ends stay."""
    if len(stroke) <= 2 * step:
        return stroke
    return np.concatenate([stroke[:-1:step], stroke[-1:]])
