"""A small MNIST and a few pen strokes, in the form of the real files."""

import gzip
import json
import struct
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rasteriser import SLATE, Coverage, Stroke, rasterise
from mnistweb.recognition.types import to_ink
from mnistweb.training import costs, data_mix, evaluation, report, robustness, symbols, synthesis, test_sets
from mnistweb.training.pen_strokes import Variation, redraw
from tests.support.drawings import STROKES

CROSS = [[[0, 0], [9, 9]], [[0, 9], [9, 0]]]

torch.set_num_threads(1)  # pytest-xdist keeps the cores busy, and what is trained here is tiny


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write an IDX file of unsigned bytes, as MNIST's are."""
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(head + values.astype(np.uint8).tobytes())


@pytest.fixture(scope="session", autouse=True)
def quick_pictures() -> Iterator[None]:
    """Draw the same strokes once, however many trainings need them, and time a model a few times only."""
    drawn: dict[tuple[object, ...], Coverage] = {}

    def draw_once(strokes: Sequence[Stroke], size: int = SLATE, slate: float = SLATE) -> Coverage:
        key = (size, slate, *((stroke.width, stroke.points.tobytes()) for stroke in strokes))
        if key not in drawn:
            drawn[key] = rasterise(strokes, size, slate)
        return drawn[key].copy()

    with pytest.MonkeyPatch.context() as patch:
        for module in (robustness, synthesis):
            patch.setattr(module, "rasterise", draw_once)
        timed = partial(evaluation.forward_milliseconds, repeats=3)
        patch.setattr(evaluation, "forward_milliseconds", timed)
        yield


@pytest.fixture(scope="module")
def few_pictures() -> Iterator[None]:
    """Draw few glyphs and few test pictures: drawing takes longer than training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(symbols, "FONTS", symbols.FONTS[:1])
        for name in ("SHAPES_EACH", "SEVERAL_DIGITS", "TURNED_DIGITS"):
            patch.setattr(test_sets, name, 3)
        for name in ("VALIDATION_SHAPES", "VALIDATION_SEVERAL"):
            patch.setattr(data_mix, name, 3)
        patch.setattr(symbols, "DIGIT_FONTS", symbols.DIGIT_FONTS[:1])
        patch.setattr(costs, "SURE_BOUNDARIES", costs.SURE_BOUNDARIES[::10])
        patch.setattr(costs, "NOT_A_DIGIT_BOUNDARIES", costs.NOT_A_DIGIT_BOUNDARIES[::10])
        patch.setattr(robustness, "SAMPLE_STEP", 10)
        patch.setattr(report, "MAX_MISTAKES", 2)
        yield


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with small versions of MNIST/raw, pen-digits, omniglot and unipen."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    strokes = {digit: [np.array(stroke) for stroke in drawn] for digit, drawn in STROKES.items()}
    for name, count in (("train", 400), ("t10k", 100)):
        labels = np.arange(count) % 10
        images = [
            normalize(to_ink(rasterise(redraw(strokes[int(label)], rng, Variation()), 84)))
            for label in labels
        ]
        write_idx(raw / f"{name}-images-idx3-ubyte", np.stack(images))
        write_idx(raw / f"{name}-labels-idx1-ubyte", labels)
    digits = [
        {"label": digit, "writer": writer, "strokes": STROKES[digit]}
        for writer in (1, 2, 3, 5)
        for digit in STROKES
    ]
    crosses = [
        {
            "alphabet": alphabet,
            "character": "character01",
            "writer": writer,
            "strokes": CROSS,
        }
        for alphabet in ("Latin", "Greek")
        for writer in (1, 15, 20)
    ]
    donors = ("ibm/1", "apa/1", "app/1")
    unipen = [
        {"label": digit, "writer": writer, "strokes": STROKES[digit]}
        for writer in donors
        for digit in STROKES
    ]
    letters = [
        {"label": letter, "writer": writer, "strokes": CROSS} for writer in donors for letter in ("x", "o")
    ]
    files = {
        "pen-digits/train": digits,
        "omniglot/background_small1": crosses,
        "unipen/digits": unipen,
        "unipen/others": letters,
    }
    for name, entries in files.items():
        path = folder / f"{name}.json.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(entries).encode()))
    return folder
