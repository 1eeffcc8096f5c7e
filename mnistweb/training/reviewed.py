"""Labelled drawings of a site as training data.

They are split by writer, so that nobody is on both sides. Near-duplicates of test drawings are left out.
Drawings with strokes are redrawn; of others the 28x28 image is all there is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from mnistweb.recognition.rasteriser import Points
from mnistweb.recognition.types import DigitImage
from mnistweb.training import synthesis
from mnistweb.training.data import Images, concatenate
from mnistweb.training.pen_strokes import USUAL_VARIATION, DataFileError, Sample

KIND = "reviewed"
CHOICE_SHARE = 5
"""Of the writers who are not for tests, one of this many is to choose and calibrate by."""
NEARLY_THE_SAME = 0.96
"""The cosine of two images from which they count as the same drawing.

Of MNIST's images, enlarged and centred anew, three of four come this near to the original. One in twenty
digits of other people does, too.
"""
MAX_COPIES, MAX_REDRAWN = 12, 40_000
"""Redrawings of each drawing, and of all."""
CHUNK = 1_000
SEED = 31


@dataclass(frozen=True, slots=True)
class Drawn:
    """A labelled drawing: the model's input, class 0-9 or 10 for "not a digit", and the writer's number.

    `test` says that its writer is for tests alone. A picture has no strokes.
    """

    id: str
    image: DigitImage
    label: int
    writer: int
    test: bool = False
    strokes: tuple[Points, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Drawings to train on, to choose and calibrate by, and to test; and how many were too like a test."""

    train: tuple[Drawn, ...]
    choice: tuple[Drawn, ...]
    test: tuple[Drawn, ...]
    near_duplicates: int = 0


def split_drawings(drawn: Sequence[Drawn], frozen: Sequence[Images] = ()) -> Split:
    """Split drawings by writer, and leave out those that nearly are a test drawing.

    The test drawings are the site's own and the images of `frozen`. If all writers that are left are those to
    choose by, the network learns from them instead. Raises DataFileError if none is left.
    """
    test = [each for each in drawn if each.test]
    others = [each for each in drawn if not each.test]
    known = torch.cat([as_images(test).images, *(images.images for images in frozen)])
    kept = [
        each
        for each, similar in zip(others, similarity(as_images(others).images, known), strict=True)
        if similar < NEARLY_THE_SAME
    ]
    if not kept:
        raise DataFileError("Of the drawings to learn from, each nearly is a test drawing.")
    train = tuple(each for each in kept if not _to_choose_by(each.writer))
    choice = tuple(each for each in kept if _to_choose_by(each.writer))
    return Split(
        train or choice,
        choice if train else (),
        tuple(test),
        len(others) - len(kept),
    )


def _to_choose_by(writer: int) -> bool:
    return crc32(str(writer).encode()) % CHOICE_SHARE == 0


def similarity(images: Tensor, others: Tensor) -> list[float]:
    """Return the cosine between each image, uint8 [n, 28, 28], and the nearest of the others; -1 without."""
    if not len(images) or not len(others):
        return [-1.0] * len(images)
    units = _units(others).T
    nearest = [(_units(chunk) @ units).amax(1) for chunk in torch.split(images, CHUNK)]
    return [float(each) for each in torch.cat(nearest)]


def _units(images: Tensor) -> Tensor:
    return torch.nn.functional.normalize(images.flatten(1).float(), dim=1)


def as_images(drawn: Sequence[Drawn]) -> Images:
    """Return the drawings' 28x28 images, as their model saw them."""
    images = [torch.from_numpy(np.array(each.image)) for each in drawn]
    return Images(
        torch.stack(images) if images else torch.zeros((0, 28, 28), dtype=torch.uint8),
        torch.tensor([each.label for each in drawn], dtype=torch.int64),
        (KIND,) * len(drawn),
    )


def redraw_all(drawn: Sequence[Drawn]) -> tuple[Images, Tensor]:
    """Return the drawings and redrawings of them, and a weight [n] for each.

    The weights of a drawing's images sum to the same, however many there are. A writer of a hundred drawings
    weighs as much as ten writers of one: nobody's hand drowns the others.
    """
    with_strokes = [place for place, each in enumerate(drawn) if each.strokes]
    copies = min(MAX_COPIES, max(1, MAX_REDRAWN // max(len(with_strokes), 1)))
    samples = [Sample(drawn[n].strokes, drawn[n].label, str(drawn[n].writer), KIND) for n in with_strokes]
    redrawn = synthesis.draw_samples(samples, copies, USUAL_VARIATION, SEED, "reviewed drawings")
    places = torch.tensor(
        [*range(len(drawn)), *(n for n in with_strokes for _ in range(copies))], dtype=torch.int64
    )
    by_writer = Counter(each.writer for each in drawn)
    shares = torch.tensor([by_writer[each.writer] ** -0.5 for each in drawn], dtype=torch.float64)
    weights = (shares / torch.bincount(places, minlength=len(drawn)).clamp(min=1))[places]
    return concatenate([as_images(drawn), redrawn]), weights
