"""Labelled drawings for data sets, and the command that exports them."""

import uuid
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from mnistweb.cli import main
from mnistweb.database.models import Decision, Prediction
from mnistweb.datasets.records import split_of
from mnistweb.predictions.images import drawing_to_store
from mnistweb.recognition.types import DigitImage
from tests.support.drawings import STROKES as POINTS
from tests.support.drawings import draw_digit
from tests.support.rows import NOON, row

NAMES = [f"visitor {number}" for number in range(100)]
TRAINING = next(name for name in NAMES if split_of(name) == "train")
TESTING = next(name for name in NAMES if split_of(name) == "test")
"""Visitors of either split."""


def run(*arguments: Any) -> Result:
    """Run `mnistweb data` with these arguments."""
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def strokes_of(digit: int) -> dict[str, Any]:
    """Return the strokes of a digit, as the log keeps them."""
    points = [[[round(x, 2), round(y, 2), 0.5] for x, y in stroke] for stroke in POINTS[digit]]
    return {"size": 280, "strokes": [{"width": 20.5, "points": stroke} for stroke in points]}


def drawing(digit: int | None, minute: int = 0, visitor: str = TRAINING, /, **fields: Any) -> Prediction:
    """Return a drawing that the operator reviewed: a digit, or None for something else."""
    stored, pixels = _stored(8 if digit is None else digit)
    pixels = pixels.copy()
    pixels[0, 0] = minute % 256  # none is like another
    values: dict[str, Any] = {
        "id": uuid.UUID(int=uuid.NAMESPACE_URL.int ^ minute, version=4),
        "drawing": stored,
        "input": pixels.tobytes(),
        "decision": Decision.NOT_A_DIGIT if digit is None else Decision.DIGIT,
        "truth": digit,
        "digit": digit,
    }
    return row(NOON + timedelta(minutes=minute, microseconds=minute), visitor, **(values | fields))


@cache
def _stored(digit: int) -> tuple[bytes, DigitImage]:
    """Return the file that the site keeps of a drawn digit, and what a model reads of it."""
    ink = np.asarray(draw_digit(digit))
    return drawing_to_store(ink), ink.reshape(28, 10, 28, 10).mean((1, 3)).astype(np.uint8)


def small_log() -> list[Prediction]:
    """Return two drawings of each digit with strokes, one for each split, and one of something else."""
    digits = [
        drawing(number % 10, number, TRAINING if number < 10 else TESTING, strokes=strokes_of(number % 10))
        for number in range(20)
    ]
    return [*digits, drawing(None, 20)]
