"""Synthesis of 28x28 images from pen strokes: digits, and images that are not digits.

Every image goes through the site's preprocessing. Drawing is spread over the CPUs. The images depend only on
the seed.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rasteriser import Coverage, Points, rasterise
from mnistweb.recognition.types import SIDE, DigitImage, to_ink
from mnistweb.training.data import Images, concatenate
from mnistweb.training.handwriting import rewrite
from mnistweb.training.pen_strokes import NOT_A_DIGIT, Sample, Variation, redraw
from mnistweb.training.symbols import SHAPES, Drawing, hershey_glyphs

RASTER_SIDE = 140  # half the slate's resolution: faster, with nearly the same 28x28 image
COARSE_SIDE = (20, 56)
"""Pixels of a coarse picture."""
COARSE_SIZE, COARSE_PEN = (0.7, 0.98), 0.05
"""Size of the drawing, of the picture's, and thinnest pen, of the drawing's: a pixel or so."""
BLACK_AND_WHITE, LEVEL = 0.6, (0.25, 0.6)
"""Share of the coarse pictures without grey levels, and the level of ink, of the strongest."""
CHUNK_SIZE = 500
MAX_SERIAL_CHUNKS = 4  # for fewer chunks, starting processes would take longer
Job = tuple[int, Sequence[Drawing], Variation]


def draw(strokes: Sequence[Points], rng: Generator, variation: Variation) -> DigitImage:
    """Redraw strokes with variation and preprocess them as the site does: uint8 [28, 28]."""
    if rng.random() < variation.coarse:
        covered = _draw_coarsely(strokes, rng, variation)
    else:
        covered = rasterise(redraw(strokes, rng, variation), RASTER_SIDE)
    return normalize(to_ink(covered))


def _draw_coarsely(strokes: Sequence[Points], rng: Generator, variation: Variation) -> Coverage:
    """Fill a picture of a few pixels, with grey levels or in black and white."""
    filling = dataclasses.replace(variation, size=COARSE_SIZE, pen=(COARSE_PEN, variation.pen[1]))
    covered = rasterise(redraw(strokes, rng, filling), int(rng.integers(*COARSE_SIDE)))
    if rng.random() < BLACK_AND_WHITE:
        covered = (covered > rng.uniform(*LEVEL) * covered.max()).astype(np.float32)
    return covered


def draw_all(drawings: Sequence[Drawing], variation: Variation, seed: int, title: str) -> NDArray[np.uint8]:
    """Draw each once: uint8 [n, 28, 28]."""
    jobs = [
        (seed * 100_003 + start, drawings[start : start + CHUNK_SIZE], variation)
        for start in range(0, len(drawings), CHUNK_SIZE)
    ]
    with ExitStack() as stack:
        run: Callable[..., Iterable[NDArray[np.uint8]]] = map
        if len(jobs) > MAX_SERIAL_CHUNKS:
            run = stack.enter_context(ProcessPoolExecutor(mp_context=get_context("forkserver"))).map
        chunks = list(tqdm(run(_draw_chunk, jobs), total=len(jobs), desc=title, leave=False))
    return np.concatenate(chunks) if chunks else np.zeros((0, SIDE, SIDE), np.uint8)


def _draw_chunk(job: Job) -> NDArray[np.uint8]:
    seed, drawings, variation = job
    rng = np.random.default_rng(seed)
    return np.stack([draw(strokes, rng, variation) for strokes in drawings])


def draw_samples(
    samples: Sequence[Sample], copies: int, variation: Variation, seed: int, title: str
) -> Images:
    """Draw each sample `copies` times, each time with another variation."""
    repeated = [sample for sample in samples for _ in range(copies)]
    return _draw_as_labelled(repeated, [sample.strokes for sample in repeated], variation, seed, title)


def draw_rewritten(
    samples: Sequence[Sample], copies: int, variation: Variation, seed: int, title: str
) -> Images:
    """Draw each digit `copies` times, some of them written in another way."""
    rng = np.random.default_rng(seed)
    repeated = [sample for sample in samples for _ in range(copies)]
    drawings = [rewrite(sample.strokes, sample.label, rng) for sample in repeated]
    return _draw_as_labelled(repeated, drawings, variation, seed, title)


def _draw_as_labelled(
    samples: Sequence[Sample], drawings: Sequence[Drawing], variation: Variation, seed: int, title: str
) -> Images:
    images = draw_all(drawings, variation, seed, title)
    labels = torch.tensor([sample.label for sample in samples], dtype=torch.int64)
    return Images(torch.from_numpy(images), labels, tuple(sample.kind for sample in samples))


def draw_glyphs(copies: int, variation: Variation, seed: int) -> Images:
    """Draw the Hershey fonts' letters and symbols."""
    glyphs = [glyph for glyph in hershey_glyphs() for _ in range(copies)]
    return as_non_digits(draw_all(glyphs, variation, seed, "letters and symbols"), "letter")


def draw_hybrids(drawings: Sequence[Drawing], count: int, variation: Variation, seed: int) -> Images:
    """Draw pairs of drawings over each other: novel shapes, so that rejection generalises."""
    rng = np.random.default_rng(seed)
    pairs = rng.integers(len(drawings), size=(count, 2))
    overlaid = [
        _place_in_box(drawings[first], 1, rng)
        + _place_in_box(drawings[second], float(rng.uniform(0.4, 1)), rng)
        for first, second in pairs
    ]
    return as_non_digits(draw_all(overlaid, variation, seed, "hybrids"), "hybrid")


def _place_in_box(strokes: Drawing, side: float, rng: Generator) -> Drawing:
    """Scale the drawing to a box of that side, somewhere in the unit square."""
    points = np.concatenate(strokes)
    scale = side / max(np.ptp(points, axis=0).max(), 1e-9)
    place = rng.uniform(0, 1 - side, 2)
    return tuple((stroke - points.min(axis=0)) * scale + place for stroke in strokes)


def draw_shapes(count: int, variation: Variation, seed: int) -> Images:
    """Draw scribbles, dots, grids, filled areas and invented figures, `count` of each entry of SHAPES."""
    rng = np.random.default_rng(seed)
    parts = [
        as_non_digits(
            draw_all([shape(rng) for _ in range(count)], variation, seed + n, shape.__name__), shape.__name__
        )
        for n, shape in enumerate(SHAPES)
    ]
    return concatenate(parts)


def as_non_digits(images: NDArray[np.uint8], kind: str) -> Images:
    """Label images of one kind of non-digit."""
    labels = torch.full((len(images),), NOT_A_DIGIT, dtype=torch.int64)
    return Images(torch.from_numpy(images), labels, (kind,) * len(images))


TURNED = {2: (1, 3), 3: (1, 3), 4: (1, 2, 3), 5: (1, 3), 6: (1, 3), 7: (1, 2, 3), 9: (1, 3)}
"""Quarter turns, by digit, after which a person would agree that it is no longer a digit."""
MIRRORED = (3, 4, 7)


def draw_turned(digits: Images, count: int, seed: int) -> Images:
    """Draw digits on their side, upside down or mirrored."""
    rng = np.random.default_rng(seed)
    chosen: list[DigitImage] = []
    while len(chosen) < count:
        index = int(rng.integers(len(digits)))
        label, image = int(digits.labels[index]), digits.images[index].numpy()
        if label in MIRRORED and rng.random() < 0.3:
            chosen.append(image[:, ::-1])
        elif label in TURNED:
            chosen.append(np.rot90(image, int(rng.choice(TURNED[label]))))
    return as_non_digits(np.stack([normalize(image) for image in chosen]), "turned digit")


def draw_several(digits: Images, count: int, seed: int) -> Images:
    """Draw two or three digits side by side, as in 42."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        some = rng.integers(len(digits), size=int(rng.choice([2, 2, 3])))
        strips = [_trim(digits.images[int(i)].numpy(), rng) for i in some]
        rows.append(normalize(np.concatenate(strips, axis=1)))
    return as_non_digits(np.stack(rows), "several digits")


def _trim(image: DigitImage, rng: Generator) -> DigitImage:
    """Cut out the digit with a little background beside it, so that neighbours nearly touch."""
    columns = np.flatnonzero(image.any(axis=0))
    return image[:, max(columns[0] - int(rng.integers(0, 4)), 0) : columns[-1] + 2]
