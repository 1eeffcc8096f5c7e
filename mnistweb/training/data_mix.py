"""What one run learns from: MNIST, drawings made from pen strokes, and what is not a digit.

Without stroke files the digits are MNIST's alone; letters, scribbles and the like are always there.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from mnistweb.recognition import preprocessing
from mnistweb.training import pen_strokes, rasteriser, symbols
from mnistweb.training import synthesis as bank
from mnistweb.training.data import Drawings, Images, load_drawings, mnist_splits
from mnistweb.training.pen_strokes import NOT_A_DIGIT, USUAL, Hand, Sample
from mnistweb.training.symbols import hershey_glyphs

# Any edit of these modules, even of a comment, changes the fingerprint: the cached images are then drawn again.
# Checkpoints depend on the configuration alone (`loop._fingerprint`), and exported models on neither.
DRAWING_CODE = (pen_strokes, preprocessing, rasteriser, symbols, bank)

VALIDATION_HAND = Hand(
    rotation=0, slant=0, aspect=(1, 1), bend=0, tremor=0, size=(0.25, 0.95), pen=(0.03, 0.2), sparse=0
)
"""Somebody's own drawing, only with any of the slate's pens, at any size and place."""

OTHER_HANDS = dataclasses.replace(USUAL, size=VALIDATION_HAND.size, pen=VALIDATION_HAND.pen)
"""The same pens, sizes and places, but drawn as somebody else might have."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How many images of each kind a batch holds."""

    mnist: int = 64
    drawings: int = 28
    not_digits: int = 36


@dataclass(frozen=True, slots=True)
class Curriculum:
    """The pools that batches are drawn from, and what the run is validated on."""

    mnist: Images
    drawings: Images
    not_digits: Images
    validation: dict[str, Images]
    mix: Mix

    @property
    def steps(self) -> int:
        """Batches in one pass over MNIST."""
        return len(self.mnist) // self.mix.mnist

    def batches(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch: float32 [n, 1, 28, 28] in 0..1 and int64 [n] classes."""
        order = torch.randperm(len(self.mnist), generator=generator)
        for step in range(self.steps):
            chosen = order[step * self.mix.mnist : (step + 1) * self.mix.mnist]
            parts = [(self.mnist, chosen)]
            for pool, count in ((self.drawings, self.mix.drawings), (self.not_digits, self.mix.not_digits)):
                if len(pool):
                    parts.append((pool, torch.randint(len(pool), (count,), generator=generator)))
            images = torch.cat([pool.images[index] for pool, index in parts])
            yield images.unsqueeze(1).float() / 255, torch.cat([pool.labels[index] for pool, index in parts])


@dataclass(frozen=True, slots=True)
class Copies:
    """How many pictures are made of each source; a smaller number trains a rougher network sooner."""

    digits: int = 20
    symbols: int = 20
    letters: int = 25
    shapes: int = 2_000
    hybrids: int = 30_000
    several: int = 9_000
    turned: int = 7_000

    def scaled(self, factor: float) -> "Copies":
        """So many times each, at least one."""
        counts = {name: max(1, round(count * factor)) for name, count in dataclasses.asdict(self).items()}
        return Copies(**counts)


def prepare(
    data_dir: Path, stroke_files: Sequence[Path], cache: Path, copies: Copies = Copies(), hand: Hand = USUAL
) -> Curriculum:
    """Load MNIST and the stroke files, and have the banks drawn by `hand` or take them from `cache`.

    The banks are the same whatever the seed of the training. Raises DataFileError for broken files.
    """
    mnist, mnist_validation = mnist_splits(data_dir)
    drawings = load_drawings(stroke_files)
    path = cache / f"{_fingerprint(stroke_files, copies, hand)}.pt"
    if not path.is_file():
        digits, not_digits = _draw_banks(mnist, drawings, copies, hand)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save([dataclasses.astuple(digits), dataclasses.astuple(not_digits)], path)
    digits, not_digits = (Images(*columns) for columns in torch.load(path, weights_only=True))
    return Curriculum(mnist, digits, not_digits, validation_sets(mnist_validation, drawings), Mix())


def _draw_banks(mnist: Images, drawings: Drawings, copies: Copies, hand: Hand) -> tuple[Images, Images]:
    digits = bank.samples_bank(only_digits(drawings.train), copies.digits, hand, 1, "pen digits")
    every = bank.join([mnist, digits])
    drawn_symbols = only_symbols(drawings.train)
    glyphs = [*hershey_glyphs(), *(symbol.strokes for symbol in drawn_symbols)]
    not_digits = [
        bank.samples_bank(drawn_symbols, copies.symbols, hand, 2, "symbols"),
        bank.symbols_bank(copies.letters, hand, 3),
        bank.hybrids_bank(glyphs, copies.hybrids, hand, 7),
        bank.shapes_bank(copies.shapes, hand, 4),
        bank.several_bank(every, copies.several, 5),
        bank.turned_bank(every, copies.turned, 6),
    ]
    return digits, bank.join(not_digits)


def _fingerprint(stroke_files: Sequence[Path], copies: Copies, hand: Hand) -> str:
    """Hash everything that the images depend on: stroke files, numbers, and the source text of DRAWING_CODE."""
    digest = hashlib.sha256(repr((copies, hand)).encode())
    for path in [*(Path(str(module.__file__)) for module in DRAWING_CODE), *stroke_files]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def validation_sets(mnist: Images, drawings: Drawings) -> dict[str, Images]:
    """The sets to choose by, the same whatever the seed."""
    sets = {"mnist": mnist}
    if digits := only_digits(drawings.validation):
        sets["drawings"] = bank.samples_bank(digits, 4, VALIDATION_HAND, 77, "validation digits")
        sets["redrawn"] = bank.samples_bank(digits, 20, OTHER_HANDS, 77, "validation digits, redrawn")
    if drawn_symbols := only_symbols(drawings.validation):
        sets["symbols"] = bank.samples_bank(drawn_symbols, 2, VALIDATION_HAND, 78, "validation symbols")
    return sets


def only_digits(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that are digits."""
    return [sample for sample in samples if sample.label != NOT_A_DIGIT]


def only_symbols(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that are no digits."""
    return [sample for sample in samples if sample.label == NOT_A_DIGIT]
