"""The training data of a run: MNIST, drawings made from pen strokes, and images that are not digits.

Without stroke files, the only digits are MNIST's. Letters, scribbles and other non-digits are always
included.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from mnistweb.recognition import preprocessing, rasteriser
from mnistweb.recognition.types import SIDE
from mnistweb.training import handwriting, pen_strokes, symbols, synthesis
from mnistweb.training.data import (
    LIKE_DIGITS,
    Drawings,
    Images,
    concatenate,
    load_drawings,
    mnist_splits,
)
from mnistweb.training.pen_strokes import LETTER, NOT_A_DIGIT, USUAL_VARIATION, Sample, Variation
from mnistweb.training.saving import save
from mnistweb.training.symbols import hershey_digits, hershey_glyphs

# An edit of these modules, even of a comment, invalidates the cached images: the next run draws them again.
# Checkpoints are invalidated only by another configuration (`loop._fingerprint`). Exported models stay valid.
DRAWING_CODE = (handwriting, pen_strokes, preprocessing, rasteriser, symbols, synthesis)

PEN_VARIATION = Variation(
    rotation=0,
    slant=0,
    aspect=(1, 1),
    bend=0,
    tremor=0,
    size=(0.25, 0.95),
    pen=(0.03, 0.2),
    sparse=0,
    loose=0,
    coarse=0,
)
"""The drawing as its writer drew it, with any pen of the slate, at any size and place."""

WRITER_VARIATION = dataclasses.replace(USUAL_VARIATION, size=PEN_VARIATION.size, pen=PEN_VARIATION.pen)
"""The same pens, sizes and places, but drawn as by another writer."""


NOTHING = Images(torch.zeros((0, SIDE, SIDE), dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), ())

VALIDATION_SHAPES, VALIDATION_SEVERAL = 100, 1_000
"""Non-digits drawn for validation: of each kind of shape, and of several or turned digits each."""


@dataclass(frozen=True, slots=True)
class BatchMix:
    """Images of each kind in a batch."""

    mnist: int = 48
    drawings: int = 44
    not_digits: int = 36


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Image pools for the batches, and the validation sets of the run.

    `look_alikes` are letters and signs that may be a digit by their shape; see `shapes.decide_by_shape`.
    """

    mnist: Images
    drawings: Images
    not_digits: Images
    look_alikes: Images
    validation: dict[str, Images]

    def steps(self, mix: BatchMix) -> int:
        """Return the number of batches in one pass over MNIST."""
        return len(self.mnist) // mix.mnist

    def share_of_non_digits(self, mix: BatchMix) -> float:
        """Return the share 0..1 of non-digits in a batch; the program always draws some."""
        digits = mix.mnist + (mix.drawings if len(self.drawings) else 0)
        return mix.not_digits / (digits + mix.not_digits)

    def batches(self, mix: BatchMix, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch: float32 [n, 1, 28, 28] in 0..1 and int64 [n] classes."""
        order = torch.randperm(len(self.mnist), generator=generator)
        for step in range(self.steps(mix)):
            chosen = order[step * mix.mnist : (step + 1) * mix.mnist]
            parts = [(self.mnist, chosen)]
            for pool, count in ((self.drawings, mix.drawings), (self.not_digits, mix.not_digits)):
                if len(pool):
                    parts.append((pool, torch.randint(len(pool), (count,), generator=generator)))
            images = torch.cat([pool.images[index] for pool, index in parts])
            yield images.unsqueeze(1).float() / 255, torch.cat([pool.labels[index] for pool, index in parts])


@dataclass(frozen=True, slots=True)
class Copies:
    """Images made of each source. Fewer images train a less accurate network faster."""

    digits: int = 9
    printed: int = 40
    letters: int = 7
    symbols: int = 14
    glyphs: int = 15
    shapes: int = 1_200
    hybrids: int = 16_000
    several: int = 9_000
    turned: int = 7_000

    def scaled(self, factor: float) -> "Copies":
        """Multiply all numbers by a factor; each stays at least one."""
        counts = {name: max(1, round(count * factor)) for name, count in dataclasses.asdict(self).items()}
        return Copies(**counts)


def prepare(
    data_dir: Path,
    stroke_files: Sequence[Path],
    cache: Path,
    copies: Copies = Copies(),
    with_mnist: bool = True,
) -> TrainingData:
    """Load MNIST and the stroke files; draw images, or load them from `cache`.

    The images do not depend on the seed of the training. Raises DataFileError for broken files.
    """
    mnist, mnist_validation = mnist_splits(data_dir) if with_mnist else (NOTHING, NOTHING)
    drawings = load_drawings(stroke_files)
    cache = cache if with_mnist else cache / "without-mnist"
    path = cache / f"{_fingerprint(stroke_files, copies)}.pt"
    if not path.is_file():
        parts = _draw_images(mnist, drawings, copies), validation_sets(mnist_validation, drawings)
        save([{name: dataclasses.astuple(part[name]) for name in part} for part in parts], path)
    pools, validation = (
        {name: Images(*columns) for name, columns in part.items()}
        for part in torch.load(path, weights_only=True)
    )
    return TrainingData(mnist, pools["digits"], pools["not digits"], pools["look-alikes"], validation)


def _draw_images(mnist: Images, drawings: Drawings, copies: Copies) -> dict[str, Images]:
    """Draw digits, what is none, and letters that may be a digit by their shape."""
    variation = USUAL_VARIATION
    digits = concatenate(
        [
            synthesis.draw_rewritten(only_digits(drawings.train), copies.digits, variation, 1, "digits"),
            synthesis.draw_samples(printed_digits(), copies.printed, variation, 8, "printed digits"),
        ]
    )
    every = concatenate([mnist, digits])
    others = only_symbols(drawings.train)
    symbols = [each for each in others if each.kind != LETTER]
    letters = [each for each in others if each.kind == LETTER and each.character not in LIKE_DIGITS]
    look_alikes = [each for each in others if each.kind == LETTER and each.character in LIKE_DIGITS]
    glyphs = [*hershey_glyphs(), *(each.strokes for each in (*symbols, *letters))]
    not_digits = [
        synthesis.draw_samples(symbols, copies.symbols, variation, 2, "symbols"),
        synthesis.draw_samples(letters, copies.letters, variation, 9, "letters"),
        synthesis.draw_glyphs(copies.glyphs, variation, 3),
        synthesis.draw_hybrids(glyphs, copies.hybrids, variation, 7),
        synthesis.draw_shapes(copies.shapes, variation, 4),
        synthesis.draw_several(every, copies.several, 5),
        synthesis.draw_turned(every, copies.turned, 6),
    ]
    similar = synthesis.draw_samples(look_alikes, copies.letters, variation, 10, "look-alikes")
    return {"digits": digits, "not digits": concatenate(not_digits), "look-alikes": similar}


def _fingerprint(stroke_files: Sequence[Path], copies: Copies) -> str:
    """Hash everything that the images depend on: stroke files, numbers, source text of DRAWING_CODE."""
    digest = hashlib.sha256(repr((copies, USUAL_VARIATION)).encode())
    for path in [*(Path(str(module.__file__)) for module in DRAWING_CODE), *stroke_files]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def validation_sets(mnist: Images, drawings: Drawings) -> dict[str, Images]:
    """Draw the validation sets, the same whatever the seed: digits, and what is none.

    Without MNIST there are printed digits instead.
    """
    name = "mnist" if len(mnist) else "printed"
    if not len(mnist):
        mnist = synthesis.draw_samples(printed_digits(), 4, PEN_VARIATION, 76, "printed digits")
    sets = {name: mnist}
    digits, others = only_digits(drawings.validation), only_symbols(drawings.validation)
    if digits:
        sets["drawings"] = synthesis.draw_samples(digits, 4, PEN_VARIATION, 77, "validation digits")
        sets["redrawn"] = synthesis.draw_samples(digits, 6, WRITER_VARIATION, 77, "redrawn digits")
    if others:
        sets["symbols"] = synthesis.draw_samples(others, 2, PEN_VARIATION, 78, "validation symbols")
    sets["shapes"] = concatenate(
        [
            synthesis.draw_shapes(VALIDATION_SHAPES, PEN_VARIATION, 79),
            synthesis.draw_several(mnist, VALIDATION_SEVERAL, 80),
            synthesis.draw_turned(mnist, VALIDATION_SEVERAL, 81),
        ]
    )
    return sets


def printed_digits() -> list[Sample]:
    """Return the digits of Hershey's fonts."""
    return [Sample(strokes, digit, "", "printed digit") for digit, strokes in hershey_digits()]


def only_digits(samples: Sequence[Sample]) -> list[Sample]:
    """Select the samples that are digits."""
    return [sample for sample in samples if sample.label != NOT_A_DIGIT]


def only_symbols(samples: Sequence[Sample]) -> list[Sample]:
    """Select the samples that are not digits."""
    return [sample for sample in samples if sample.label == NOT_A_DIGIT]
