"""Data sets for training, validation and test as tensors, with a fixed split.

MNIST: 55,000 of the training images to train, 5,000 to validate, the 10,000 test images for the end. Pen
digits and symbols are split by writer, symbols by alphabet too, so that training sees no test writer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError, Sample, read_samples

VALIDATION = 5_000

PEN_DIGITS = Path("pen-digits/train.json.gz")
SYMBOLS = Path("omniglot/background_small1.json.gz")
VALIDATION_WRITERS = frozenset({5, 11, 17})
TEST_WRITERS = frozenset({3, 8, 14, 20, 26, 29})
TEST_ALPHABETS = frozenset({"Balinese", "Greek"})
SYMBOL_TRAINING_WRITERS = frozenset(range(1, 14))
SYMBOL_VALIDATION_WRITERS = frozenset(range(14, 17))

# Letters that look exactly like a digit: an O, an l, a Korean vowel of one upright stroke. A network trained
# to reject them would reject real digits, so training leaves them out. They count in tests.
LOOK_ALIKES = {
    "Latin": {"02", "07", "12", "15", "17", "19", "26"},
    "Korean": {"21", "22", "33"},
    "Early_Aramaic": {"03", "04", "12", "16", "17", "20"},
}


@dataclass(frozen=True, slots=True)
class Images:
    """uint8 [n, 28, 28] images, int64 [n] classes (10: not a digit), and the kind of each."""

    images: Tensor
    labels: Tensor
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def load_mnist(data_dir: Path, train: bool, download: bool = True) -> Images:
    """Load MNIST with torchvision, and download it to `data_dir` if it is missing.

    Raises DataFileError if MNIST is unavailable or broken.
    """
    from torchvision.datasets import MNIST

    try:
        mnist = MNIST(str(data_dir), train=train, download=download)
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise DataFileError(f"{data_dir}: MNIST is missing or broken ({error})") from error
    return Images(mnist.data, mnist.targets.long(), ("mnist",) * len(mnist.data))


def mnist_splits(data_dir: Path) -> tuple[Images, Images]:
    """Split the 60,000 training images into 55,000 for training and 5,000 for validation, always alike."""
    mnist = load_mnist(data_dir, train=True)
    order = torch.randperm(len(mnist), generator=torch.Generator().manual_seed(20_260))
    held_out = min(VALIDATION, len(mnist) // 10)
    return _select(mnist, order[held_out:]), _select(mnist, order[:held_out])


def _select(images: Images, index: Tensor) -> Images:
    kinds = tuple(images.kinds[i] for i in index.tolist())
    return Images(images.images[index], images.labels[index], kinds)


@dataclass(frozen=True, slots=True)
class Drawings:
    """The drawings of the stroke files, in three parts that share no writer (and no test alphabet)."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]


def load_drawings(files: Sequence[Path]) -> Drawings:
    """Read stroke files and split them by writer. Raises DataFileError."""
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": [], "unused": []}
    for file in files:
        for sample in read_samples(file):
            parts[split_of(sample)].append(sample)
    return Drawings(tuple(parts["train"]), tuple(parts["validation"]), tuple(parts["test"]))


def split_of(sample: Sample) -> str:
    """Return the split of a drawing: train, validation, test or unused."""
    if sample.label != NOT_A_DIGIT:
        if sample.writer in TEST_WRITERS:
            return "test"
        return "validation" if sample.writer in VALIDATION_WRITERS else "train"
    if sample.writer not in SYMBOL_TRAINING_WRITERS | SYMBOL_VALIDATION_WRITERS:
        return "test"
    if sample.kind in TEST_ALPHABETS:
        return "unused"
    if sample.writer in SYMBOL_VALIDATION_WRITERS:
        return "validation"
    return "unused" if sample.character[-2:] in LOOK_ALIKES.get(sample.kind, ()) else "train"


def stroke_files(data_dir: Path) -> list[Path]:
    """Return the stroke files that exist in `data_dir`."""
    return [data_dir / name for name in (PEN_DIGITS, SYMBOLS) if (data_dir / name).is_file()]
