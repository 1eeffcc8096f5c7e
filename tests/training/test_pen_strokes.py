"""Files of pen strokes, and redrawing with variation."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistweb.recognition.rasteriser import SLATE
from mnistweb.training.data import load_drawings, split_of, stroke_files
from mnistweb.training.pen_strokes import DataFileError, Sample, Variation, read_samples, redraw
from mnistweb.training.symbols import SHAPES, hershey_glyphs
from tests.support.drawings import STROKES


def test_digits_and_symbols_are_read(data_dir: Path) -> None:
    digits, symbols, _, letters = (read_samples(file) for file in stroke_files(data_dir))
    assert [sample.label for sample in digits[:10]] == list(range(10))
    assert {sample.label for sample in symbols} == {10}
    assert {sample.kind for sample in symbols} == {"Latin", "Greek"}
    assert {(sample.label, sample.kind, sample.character) for sample in letters} == {
        (10, "letter", "x"),
        (10, "letter", "o"),
    }


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"no JSON", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'{"label": 3}', mtime=0),
        gzip.compress(json.dumps([{"label": 3, "writer": 1, "strokes": []}]).encode(), mtime=0),
        gzip.compress(json.dumps([{"label": 30, "writer": 1, "strokes": [[[0, 0]]]}]).encode(), mtime=0),
        gzip.compress(json.dumps([{"label": 3, "writer": 1, "strokes": [[[0, None]]]}]).encode(), mtime=0),
        gzip.compress(json.dumps([{"writer": 1, "strokes": [[[0, 0]]]}]).encode(), mtime=0),
        gzip.compress(b'[{"label": 3, "writer": 1, "strokes": [[[0, 0]]]}]', mtime=0)[:-12],
    ],
)
def test_error_names_the_broken_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "strokes.json.gz"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=r"strokes\.json\.gz"):
        read_samples(path)


def test_error_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file"):
        read_samples(tmp_path / "nowhere.json.gz")


def test_splits_share_no_writer(data_dir: Path) -> None:
    parts = load_drawings(stroke_files(data_dir))
    writers = [
        {(s.label < 10, s.writer) for s in part} for part in (parts.train, parts.validation, parts.test)
    ]
    assert all(writers)
    assert not writers[0] & writers[1]
    assert not writers[0] & writers[2]
    assert not writers[1] & writers[2]


@pytest.mark.parametrize(
    ("donor", "parts"),
    [("apa", {"validation"}), ("app", {"test"}), ("ibm", {"train", "validation", "test"})],
)
def test_whole_donors_and_some_writers_of_the_others_are_apart(donor: str, parts: set[str]) -> None:
    strokes = (np.zeros((2, 2)),)
    found = [split_of(Sample(strokes, 3, f"{donor}/{number}", "digit")) for number in range(120)]
    assert set(found) == parts
    assert len(parts) == 1 or found.count("train") > 90


@pytest.mark.parametrize(
    ("kind", "character", "writer", "part"),
    [
        ("Latin", "character01", 1, "train"),
        ("Latin", "character15", 1, "unused"),  # an O
        ("Latin", "character15", 15, "validation"),
        ("Latin", "character15", 19, "test"),
        ("Greek", "character01", 1, "unused"),
        ("Greek", "character01", 19, "test"),
    ],
)
def test_symbols_are_split_by_alphabet_and_writer(kind: str, character: str, writer: int, part: str) -> None:
    assert split_of(Sample((np.zeros((2, 2)),), 10, str(writer), kind, character)) == part


@pytest.mark.parametrize("seed", range(20))
def test_redrawing_stays_on_the_slate(seed: int) -> None:
    strokes = [np.array(stroke) * 7 - 900 for stroke in STROKES[seed % 10]]
    for stroke in redraw(strokes, np.random.default_rng(seed), Variation()):
        assert stroke.points.min() - stroke.width / 2 > -1
        assert stroke.points.max() + stroke.width / 2 < SLATE + 1


def test_redrawing_depends_on_the_seed() -> None:
    strokes = [np.array(stroke) for stroke in STROKES[5]]

    def points(seed: int) -> Any:
        return redraw(strokes, np.random.default_rng(seed), Variation())[0].points

    assert np.array_equal(points(1), points(1))
    assert not np.array_equal(points(1), points(2))


def test_hershey_fonts_give_letters() -> None:
    glyphs = hershey_glyphs()
    assert len(glyphs) > 300
    assert all(np.isfinite(stroke).all() for glyph in glyphs for stroke in glyph)


@pytest.mark.parametrize("shape", dict.fromkeys(SHAPES))
def test_all_shapes_can_be_redrawn(shape: Any) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        assert redraw(shape(rng), rng, Variation())
