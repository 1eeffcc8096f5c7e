"""The test sets, which are read once, when the training is over.

Digits are MNIST's test images, drawings of unseen writers and of an unseen donor, and digits written in each
known way. The others are symbols of unseen alphabets, letters, scribbles and several digits. Everything is
deterministic.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator

from mnistweb.training import handwriting, synthesis
from mnistweb.training.data import LIKE_DIGITS, Images, concatenate, load_drawings, load_mnist, stroke_files
from mnistweb.training.data_mix import DRAWING_CODE, PEN_VARIATION, only_digits, only_symbols
from mnistweb.training.pen_strokes import LETTER, Sample
from mnistweb.training.pictures import FOLDER, has_pictures, load_pictures
from mnistweb.training.saving import save
from mnistweb.training.symbols import Drawing

SHAPES_EACH, SEVERAL_DIGITS, TURNED_DIGITS = 100, 500, 500
"""Non-digits drawn, of shapes for each kind in SHAPES."""
DIGIT_SETS = {
    "mnist_test": "MNIST test",
    "drawings_test": "drawings by unseen writers",
    "unipen_test": "drawings of another donor",
}
"""The sets of digits by their names in a card, and their titles."""
WAYS: dict[str, tuple[int, Callable[[Drawing, Generator], Drawing]]] = {
    "slashed zero": (0, handwriting.slash),
    "one with a flag": (1, handwriting.flag),
    "one with a foot": (1, handwriting.foot),
    "barred seven": (7, handwriting.bar),
    "hooked seven": (7, handwriting.hook),
    "looped seven": (7, handwriting.loop),
}
PENS = {"thin pen": (0.02, 0.025), "thick pen": (0.2, 0.26)}
"""Pens, as shares of the drawing's longer side."""
WAYS_STEP = 5
"""Of the digits that are all written in one way, every so many is."""


@dataclass(frozen=True, slots=True)
class TestSets:
    """Digits by the names of DIGIT_SETS, non-digits, digits by their way of writing, and pictures, if any.

    Drawings, symbols and ways of writing need stroke files.
    """

    digits: Mapping[str, Images]
    not_digits: Images
    ways: Images | None = None
    pictures: Images | None = None


def test_sets(data_dir: Path) -> TestSets:
    """Load and draw the test sets. Raises DataFileError if MNIST is unavailable."""
    mnist = load_mnist(data_dir, train=False)
    samples = load_drawings(stroke_files(data_dir)).test
    written = {
        "drawings_test": [each for each in only_digits(samples) if "/" not in each.writer],
        "unipen_test": [each for each in only_digits(samples) if "/" in each.writer],
    }
    digits = {"mnist_test": mnist} | {
        name: synthesis.draw_samples(each, 2, PEN_VARIATION, 901, DIGIT_SETS[name])
        for name, each in written.items()
        if each
    }
    others = [
        synthesis.draw_shapes(SHAPES_EACH, PEN_VARIATION, 903),
        synthesis.draw_glyphs(1, PEN_VARIATION, 904),
        synthesis.draw_several(mnist, SEVERAL_DIGITS, 905),
        synthesis.draw_turned(mnist, TURNED_DIGITS, 906),
    ]
    if symbols := [_named(symbol) for symbol in only_symbols(samples)]:
        others.insert(0, synthesis.draw_samples(symbols, 2, PEN_VARIATION, 902, "test symbols"))
    every = [sample for each in written.values() for sample in each]
    return TestSets(
        digits, concatenate(others), draw_ways(every) if every else None, _pictures(data_dir / FOLDER)
    )


def kept_test_sets(data_dir: Path, cache: Path) -> TestSets:
    """Return the test sets as `test_sets` does, but draw them once and keep them in `cache`.

    Raises DataFileError if MNIST is unavailable.
    """
    path = cache / f"test-sets-{_fingerprint(data_dir)}.pt"
    if not path.is_file():
        sets = test_sets(data_dir)
        parts = {**sets.digits, "not_digits": sets.not_digits} | ({"ways": sets.ways} if sets.ways else {})
        save({name: dataclasses.astuple(part) for name, part in parts.items()}, path)
    kept = {name: Images(*columns) for name, columns in torch.load(path, weights_only=True).items()}
    digits = {name: kept[name] for name in DIGIT_SETS if name in kept}
    return TestSets(digits, kept["not_digits"], kept.get("ways"), _pictures(data_dir / FOLDER))


def _pictures(folder: Path) -> Images | None:
    return load_pictures(folder) if has_pictures(folder) else None


def _fingerprint(data_dir: Path) -> str:
    """Hash what the test sets depend on: MNIST, stroke files, numbers, source text of what draws them."""
    mnist = load_mnist(data_dir, train=False)
    sizes = (SHAPES_EACH, SEVERAL_DIGITS, TURNED_DIGITS, WAYS_STEP, PEN_VARIATION, PENS)
    digest = hashlib.sha256(repr(sizes).encode() + mnist.images.numpy().tobytes())
    code = [Path(str(module.__file__)) for module in DRAWING_CODE]
    for path in [*code, Path(__file__), *stroke_files(data_dir)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def draw_ways(samples: Sequence[Sample]) -> Images:
    """Draw digits, each in the ways in which people write it; the kind is the way."""
    rng = np.random.default_rng(907)
    some = samples[::WAYS_STEP]
    ways = [
        dataclasses.replace(sample, strokes=write(sample.strokes, rng), kind=way)
        for way, (label, write) in WAYS.items()
        for sample in samples
        if sample.label == label
    ]
    ways += [
        dataclasses.replace(
            sample, strokes=handwriting.straighten(sample.strokes, rng), kind="straight lines"
        )
        for sample in some
    ]
    parts = [synthesis.draw_samples(ways, 1, PEN_VARIATION, 908, "ways of writing")]
    for name, pen in PENS.items():
        variation = dataclasses.replace(PEN_VARIATION, pen=pen)
        drawn = [dataclasses.replace(sample, kind=name) for sample in some]
        parts.append(synthesis.draw_samples(drawn, 1, variation, 909, name))
    return concatenate(parts)


def _named(symbol: Sample) -> Sample:
    """Tell letters that look like a digit from plain ones."""
    if symbol.kind != LETTER:
        return symbol
    kind = "letter like a digit" if symbol.character in LIKE_DIGITS else "written letter"
    return dataclasses.replace(symbol, kind=kind)
