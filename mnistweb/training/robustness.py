"""Robustness of networks against distortions of drawings, cameras and pens.

Held-out drawings are put on a slate of 280 px, distorted in one way, and read twice. Once through the site's
preprocessing, once through a plain resize of the whole picture to 28x28, as most digit sites do.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import nn

from mnistweb.recognition.rasteriser import SLATE, Coverage, Points, Stroke, rasterise
from mnistweb.recognition.types import SIDE, DigitImage
from mnistweb.training.calibration import Calibration, not_a_digit
from mnistweb.training.data import load_drawings, stroke_files
from mnistweb.training.data_mix import only_digits
from mnistweb.training.pen_strokes import Sample
from mnistweb.training.photo_simulation import simulate_photo
from mnistweb.training.pictures import preprocess
from mnistweb.training.readings import served_logits

PEN_WIDTH = 18.0
DRAWING_SIZE = 0.65
SAMPLE_STEP = 3  # every third held-out drawing, which keeps the table under a few minutes


@dataclass(frozen=True, slots=True)
class Condition:
    """One kind of distortion: `place` draws the strokes, `finish` changes the picture."""

    name: str
    place: Callable[[Sequence[Points]], list[Stroke]]
    finish: Callable[[Coverage, Generator], Image.Image]


def conditions() -> list[Condition]:
    """Return the rows of the table."""
    placed = {"as drawn": _placement()}
    placed |= {
        f"shifted by {100 * share:.0f} % of the slate": _placement(0.45, share) for share in (0.1, 0.25)
    }
    placed |= {f"drawn {100 * size:.0f} % of the slate high": _placement(size) for size in (0.15, 0.3, 0.95)}
    placed |= {
        f"turned {_side(angle)} by {abs(angle)}°": _placement(angle=angle) for angle in (-30, -15, 15, 30)
    }
    placed |= {f"slanted {_side(slant)}": _placement(slant=slant) for slant in (-0.5, 0.5)}
    placed |= {f"brush of {width} px": _placement(width=width) for width in (4, 10, 28, 40)}
    finishes: dict[str, Callable[[Coverage, Generator], Image.Image]] = {
        "inverted: dark on light": _inverted,
        "coloured ink on paper": _coloured,
        "transparent ground": _transparent,
        "blurred (radius 6 px)": _blurred,
        "noise (deviation 20 %)": _noisy,
        "JPEG at quality 10": _jpeg,
        "photo: uneven light and shadow": lambda ink, rng: simulate_photo(ink, rng, ruled=False),
        "photo: on ruled paper": lambda ink, rng: simulate_photo(ink, rng, ruled=True),
    }
    return [Condition(name, place, _slate) for name, place in placed.items()] + [
        Condition(name, _placement(), finish) for name, finish in finishes.items()
    ]


def _side(amount: float) -> str:
    return "left" if amount < 0 else "right"


def _placement(
    size: float = DRAWING_SIZE,
    shift: float = 0,
    angle: float = 0,
    slant: float = 0,
    width: float | None = None,
) -> Callable[[Sequence[Points]], list[Stroke]]:
    """Return a function that places strokes on the slate; the pen scales with the drawing by default."""

    def place(strokes: Sequence[Points]) -> list[Stroke]:
        points = np.concatenate(strokes)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        radians = np.deg2rad(angle)
        turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
        change = turn @ np.array([[1, -slant], [0, 1]])
        moved = [(stroke - middle) @ change.T for stroke in strokes]
        pen = width or PEN_WIDTH * size / DRAWING_SIZE
        extent = np.ptp(np.concatenate(moved), axis=0).max()
        scale = max(SLATE * size - pen, 1) / extent
        target = SLATE / 2 + np.array([-shift, shift]) * SLATE
        return [Stroke(stroke * scale + target, pen) for stroke in moved]

    return place


def _slate(ink: Coverage, _: Generator) -> Image.Image:
    return Image.fromarray(np.uint8(ink * 255))


def _inverted(ink: Coverage, _: Generator) -> Image.Image:
    return Image.fromarray(np.uint8(255 - ink * 255))


def _coloured(ink: Coverage, rng: Generator) -> Image.Image:
    pen = rng.permutation(np.array([200, int(rng.integers(0, 120)), int(rng.integers(0, 80))]))
    paper = np.array([250, 246, 232])
    return Image.fromarray(np.uint8(paper + (pen - paper) * ink[..., None]))


def _transparent(ink: Coverage, rng: Generator) -> Image.Image:
    pixels = np.zeros((*ink.shape, 4), np.uint8)
    pixels[..., :3] = rng.choice([0, 255])
    pixels[..., 3] = ink * 255
    return Image.fromarray(pixels, "RGBA")


def _blurred(ink: Coverage, rng: Generator) -> Image.Image:
    return _slate(ink, rng).filter(ImageFilter.GaussianBlur(6))


def _noisy(ink: Coverage, rng: Generator) -> Image.Image:
    noise = rng.normal(0, 0.2, ink.shape)
    return Image.fromarray(np.uint8(np.clip(ink * 0.8 + 0.1 + noise, 0, 1) * 255))


def _jpeg(ink: Coverage, rng: Generator) -> Image.Image:
    buffer = io.BytesIO()
    _inverted(ink, rng).save(buffer, "JPEG", quality=10)
    return Image.open(buffer)


def render(samples: Sequence[Sample], condition: Condition) -> Iterator[bytes]:
    """Yield PNG files of the samples under a condition, the same at each call."""
    rng = np.random.default_rng(31)
    for sample in samples:
        buffer = io.BytesIO()
        condition.finish(rasterise(condition.place(sample.strokes)), rng).save(
            buffer, "PNG", compress_level=1
        )
        yield buffer.getvalue()


def resize_plainly(picture: bytes) -> DigitImage:
    """Preprocess as most digit sites do: grey, the whole slate to 28x28, light ink expected."""
    grey = Image.open(io.BytesIO(picture)).convert("RGBA").convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.uint8)


@dataclass(frozen=True, slots=True)
class Row:
    """Shares under one condition: right, right and not rejected, and right after a plain resize."""

    condition: str
    right: float
    answered_right: float
    plain_resize: float


def held_out_digits(data_dir: Path) -> list[Sample]:
    """Load the drawn digits for the table: UCI's, if there are any."""
    samples = only_digits(load_drawings(stroke_files(data_dir)).test)
    return [sample for sample in samples if "/" not in sample.writer][::SAMPLE_STEP]


def measure(
    networks: Mapping[str, tuple[nn.Module, Calibration]], samples: Sequence[Sample]
) -> dict[str, list[Row]]:
    """Read the samples under all conditions with all networks."""
    labels = np.array([sample.label for sample in samples])
    rows: dict[str, list[Row]] = {name: [] for name in networks}
    for condition in conditions():
        files = list(render(samples, condition))
        ours = torch.from_numpy(np.stack([preprocess(file) for file in files]))
        plain = torch.from_numpy(np.stack([resize_plainly(file) for file in files]))
        for name, (served, calibration) in networks.items():
            logits = served_logits(served, ours)
            right = _answers(logits.numpy()) == labels
            kept = not_a_digit(logits, calibration.temperature) < calibration.boundaries.not_a_digit
            resized = _answers(served_logits(served, plain).numpy()) == labels
            rows[name].append(
                Row(condition.name, float(right.mean()), float((right & kept).mean()), float(resized.mean()))
            )
    return rows


def _answers(logits: NDArray[np.float32]) -> NDArray[np.int64]:
    answers: NDArray[np.int64] = logits[:, :10].argmax(1)
    return answers
