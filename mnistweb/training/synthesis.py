"""Banks of 28x28 images drawn from pen strokes, and of what is not a digit.

Every image goes through the preprocessing that the site serves with. Drawing is spread over the CPUs; what
is drawn depends on the seed alone.
"""

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
from mnistweb.recognition.types import SIDE, DigitImage
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT, Hand, Sample, redraw
from mnistweb.training.rasteriser import Points, rasterise
from mnistweb.training.symbols import SHAPES, Drawing, hershey_glyphs

RASTER = 140  # half the slate's resolution: the 28x28 image is the same and drawing is faster
CHUNK = 500
FEW = 4  # chunks; for so few, starting processes would take longer
Job = tuple[int, Sequence[Drawing], Hand]


def draw(strokes: Sequence[Points], rng: Generator, hand: Hand) -> DigitImage:
    """Redraw strokes by another hand and preprocess them as the site does: uint8 [28, 28]."""
    return normalize(rasterise(redraw(strokes, rng, hand), RASTER))


def draw_all(drawings: Sequence[Drawing], hand: Hand, seed: int, title: str) -> NDArray[np.uint8]:
    """Draw each once: uint8 [n, 28, 28]."""
    jobs = [
        (seed * 100_003 + start, drawings[start : start + CHUNK], hand)
        for start in range(0, len(drawings), CHUNK)
    ]
    with ExitStack() as stack:
        run: Callable[..., Iterable[NDArray[np.uint8]]] = map
        if len(jobs) > FEW:
            run = stack.enter_context(ProcessPoolExecutor(mp_context=get_context("forkserver"))).map
        chunks = list(tqdm(run(_draw_chunk, jobs), total=len(jobs), desc=title, leave=False))
    return np.concatenate(chunks) if chunks else np.zeros((0, SIDE, SIDE), np.uint8)


def _draw_chunk(job: Job) -> NDArray[np.uint8]:
    seed, drawings, hand = job
    rng = np.random.default_rng(seed)
    return np.stack([draw(strokes, rng, hand) for strokes in drawings])


def samples_bank(samples: Sequence[Sample], copies: int, hand: Hand, seed: int, title: str) -> Images:
    """Each sample drawn `copies` times, each time by another hand."""
    repeated = [sample for sample in samples for _ in range(copies)]
    images = draw_all([sample.strokes for sample in repeated], hand, seed, title)
    labels = torch.tensor([sample.label for sample in repeated], dtype=torch.int64)
    return Images(torch.from_numpy(images), labels, tuple(sample.kind for sample in repeated))


def symbols_bank(copies: int, hand: Hand, seed: int) -> Images:
    """The Hershey fonts' letters and symbols."""
    glyphs = [glyph for glyph in hershey_glyphs() for _ in range(copies)]
    return not_digits(draw_all(glyphs, hand, seed, "letters and symbols"), "letter")


def hybrids_bank(drawings: Sequence[Drawing], count: int, hand: Hand, seed: int) -> Images:
    """Two of the drawings over each other, which nobody has seen before: so that what is refused is not
    only what was learnt by heart."""
    rng = np.random.default_rng(seed)
    pairs = rng.integers(len(drawings), size=(count, 2))
    overlaid = [
        _in_a_box(drawings[first], 1, rng) + _in_a_box(drawings[second], float(rng.uniform(0.4, 1)), rng)
        for first, second in pairs
    ]
    return not_digits(draw_all(overlaid, hand, seed, "hybrids"), "hybrid")


def _in_a_box(strokes: Drawing, side: float, rng: Generator) -> Drawing:
    """The drawing in a box of that side, somewhere in the box from 0 to 1."""
    points = np.concatenate(strokes)
    scale = side / max(np.ptp(points, axis=0).max(), 1e-9)
    place = rng.uniform(0, 1 - side, 2)
    return tuple((stroke - points.min(axis=0)) * scale + place for stroke in strokes)


def shapes_bank(count: int, hand: Hand, seed: int) -> Images:
    """Scribbles, dots, grids, fills and invented figures, `count` of each entry of SHAPES."""
    rng = np.random.default_rng(seed)
    banks = [
        not_digits(
            draw_all([shape(rng) for _ in range(count)], hand, seed + n, shape.__name__), shape.__name__
        )
        for n, shape in enumerate(SHAPES)
    ]
    return join(banks)


def not_digits(images: NDArray[np.uint8], kind: str) -> Images:
    """Images of one kind of non-digit."""
    labels = torch.full((len(images),), NOT_A_DIGIT, dtype=torch.int64)
    return Images(torch.from_numpy(images), labels, (kind,) * len(images))


TURNED = {2: (1, 3), 3: (1, 3), 4: (1, 2, 3), 5: (1, 3), 6: (1, 3), 7: (1, 2, 3), 9: (1, 3)}
"""Quarter turns after which a digit is none any more, on which a person would agree."""
MIRRORED = (3, 4, 7)


def turned_bank(digits: Images, count: int, seed: int) -> Images:
    """Digits lying on their side, on their head or mirrored."""
    rng = np.random.default_rng(seed)
    chosen: list[DigitImage] = []
    while len(chosen) < count:
        index = int(rng.integers(len(digits)))
        label, image = int(digits.labels[index]), digits.images[index].numpy()
        if label in MIRRORED and rng.random() < 0.3:
            chosen.append(image[:, ::-1])
        elif label in TURNED:
            chosen.append(np.rot90(image, int(rng.choice(TURNED[label]))))
    return not_digits(np.stack([_again(image) for image in chosen]), "turned digit")


def several_bank(digits: Images, count: int, seed: int) -> Images:
    """Two or three digits side by side, as when somebody writes 42."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        some = rng.integers(len(digits), size=int(rng.choice([2, 2, 3])))
        strips = [_trim(digits.images[int(i)].numpy(), rng) for i in some]
        rows.append(_again(np.concatenate(strips, axis=1)))
    return not_digits(np.stack(rows), "several digits")


def _trim(image: DigitImage, rng: Generator) -> DigitImage:
    """The digit with a little of the ground beside it, so that neighbours nearly touch."""
    columns = np.flatnonzero(image.any(axis=0))
    return image[:, max(columns[0] - int(rng.integers(0, 4)), 0) : columns[-1] + 2]


def _again(image: NDArray[np.uint8]) -> DigitImage:
    return normalize(image.astype(np.float32) / 255)


def join(banks: Sequence[Images]) -> Images:
    """Several banks as one."""
    return Images(
        torch.cat([bank.images for bank in banks]),
        torch.cat([bank.labels for bank in banks]),
        tuple(kind for bank in banks for kind in bank.kinds),
    )
