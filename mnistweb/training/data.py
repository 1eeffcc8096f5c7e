"""Data sets for training, validation and test as tensors, with a fixed split.

MNIST: 55,000 of the training images to train, 5,000 to validate, the 10,000 test images for the end. All
drawings are split by writer, so that training sees no test writer. Symbols are split by alphabet too. Of
UNIPEN whole donors are apart, since the writers of a donor share its tablet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import torch
from torch import Tensor

from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError, Sample, read_samples

VALIDATION = 5_000

PEN_DIGITS = Path("pen-digits/train.json.gz")
SYMBOLS = Path("omniglot/background_small1.json.gz")
UNIPEN_DIGITS = Path("unipen/digits.json.gz")
UNIPEN_OTHERS = Path("unipen/others.json.gz")

VALIDATION_WRITERS = frozenset({"5", "11", "17"})
TEST_WRITERS = frozenset({"3", "8", "14", "20", "26", "29"})
TEST_ALPHABETS = frozenset({"Balinese", "Greek"})
SYMBOL_TRAINING_WRITERS = frozenset(map(str, range(1, 14)))
SYMBOL_VALIDATION_WRITERS = frozenset(map(str, range(14, 17)))
VALIDATION_DONORS = frozenset({"apa"})
TEST_DONORS = frozenset({"app"})
WRITERS_APART = 12
"""Of the other donors' writers, one of this many is for tests, and one for validation."""

# Symbols that look exactly like a digit: an O, an l, a Korean vowel of one upright stroke. A network trained
# to reject them would reject real digits, so training leaves them out. They count in tests.
LOOK_ALIKES = {
    "Latin": {"02", "07", "12", "15", "17", "19", "26"},
    "Korean": {"21", "22", "33"},
    "Early_Aramaic": {"03", "04", "12", "16", "17", "20"},
}
LIKE_DIGITS = frozenset("OoDQIl|i!/\\\\()[]{}JSsZzBbGgqyY?,'`&")
"""Letters and signs that look like a digit in some hands; their shapes decide."""


@dataclass(frozen=True, slots=True)
class Images:
    """uint8 [n, 28, 28] images, int64 [n] classes (10: not a digit), and the kind of each."""

    images: Tensor
    labels: Tensor
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, index: Tensor) -> "Images":
        """Return the images of these places, int64 [m]."""
        return Images(self.images[index], self.labels[index], tuple(self.kinds[i] for i in index.tolist()))


def concatenate(parts: Sequence[Images]) -> Images:
    """Concatenate sets of images."""
    return Images(
        torch.cat([part.images for part in parts]),
        torch.cat([part.labels for part in parts]),
        tuple(kind for part in parts for kind in part.kinds),
    )


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


def has_mnist(data_dir: Path) -> bool:
    """Return whether MNIST is in the folder; nothing is downloaded."""
    try:
        load_mnist(data_dir, train=True, download=False)
    except DataFileError:
        return False
    return True


def mnist_splits(data_dir: Path) -> tuple[Images, Images]:
    """Split the 60,000 training images into 55,000 for training and 5,000 for validation, always alike."""
    mnist = load_mnist(data_dir, train=True)
    order = torch.randperm(len(mnist), generator=torch.Generator().manual_seed(20_260))
    held_out = min(VALIDATION, len(mnist) // 10)
    return mnist.select(order[held_out:]), mnist.select(order[:held_out])


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
    donor, _, name = sample.writer.partition("/")
    if name:
        return _split_of_donor(donor, sample.writer)
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


def _split_of_donor(donor: str, writer: str) -> str:
    if donor in TEST_DONORS:
        return "test"
    if donor in VALIDATION_DONORS:
        return "validation"
    return {0: "test", 1: "validation"}.get(crc32(writer.encode()) % WRITERS_APART, "train")


def stroke_files(data_dir: Path) -> list[Path]:
    """Return the stroke files that exist in `data_dir`."""
    names = (PEN_DIGITS, SYMBOLS, UNIPEN_DIGITS, UNIPEN_OTHERS)
    return [data_dir / name for name in names if (data_dir / name).is_file()]
