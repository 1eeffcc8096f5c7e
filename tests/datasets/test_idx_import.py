"""MNIST's files as drawings of the log."""

import gzip
import itertools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from mnistweb.cli.data import context
from mnistweb.database.models import Decision, Prediction, ReviewDecision, Tally
from mnistweb.datasets.records import Selection, read_records, split_of
from mnistweb.extensions import db
from mnistweb.recognition.png import is_own
from tests.support.data_sets import drawing, run

DIGITS = [np.frombuffer(drawing(digit).input, np.uint8) for digit in range(10)]


def idx(data: bytes, *shape: int) -> bytes:
    return struct.pack(f">{1 + len(shape)}I", 0x0800 | len(shape), *shape) + data


def write_pair(
    folder: Path, labels: Sequence[int] = range(10), stem: str = "train", /, **files: bytes
) -> Path:
    """Write a pair of IDX files, with the content of one of them replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = b"".join(DIGITS[label % 10].tobytes() for label in labels)
    contents = {
        "images-idx3-ubyte": files.get("images", idx(pixels, len(labels), 28, 28)),
        "labels-idx1-ubyte": files.get("labels", idx(bytes(labels), len(labels))),
    }
    for name, content in contents.items():
        (folder / f"{stem}-{name}").write_bytes(content)
    return folder / f"{stem}-images-idx3-ubyte"


@pytest.fixture
def site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(context, "site_app", lambda: app)
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    return app


def stored(site: Flask) -> list[Prediction]:
    with site.app_context():
        options = undefer(Prediction.drawing), undefer(Prediction.input)
        return [*db.session.scalars(select(Prediction).options(*options).order_by(Prediction.truth))]


def test_images_become_reviewed_drawings_that_a_model_read(site: Flask, tmp_path: Path) -> None:
    result = run("import", write_pair(tmp_path))
    assert (result.exit_code, result.output) == (0, "10 drawings are added, 0 known already.\n")
    rows = stored(site)
    assert [each.truth for each in rows] == [*range(10)]
    assert [each.input for each in rows] == [image.tobytes() for image in DIGITS]
    assert {each.decision for each in rows} == {Decision.DIGIT}
    assert {each.labelled for each in rows} == {False}
    assert {each.model for each in rows} == {"cnn"}
    assert sum(each.digit == each.truth for each in rows) >= 8
    assert all(is_own(each.drawing) for each in rows)
    with site.app_context():
        decisions = db.session.scalars(select(ReviewDecision)).all()
        assert {(each.reviewer, each.decision) for each in decisions} == {("import", Decision.DIGIT)}
        assert len(decisions) == 10
        assert db.session.scalar(select(func.sum(Tally.count))) == 20  # by day and by month


def test_same_files_twice_add_nothing(site: Flask, tmp_path: Path) -> None:
    run("import", write_pair(tmp_path))
    before = [(each.id, each.created_at) for each in stored(site)]
    assert run("import", tmp_path).output == "0 drawings are added, 10 known already.\n"
    write_pair(tmp_path, [3, 3, 3, 13 % 10])
    assert run("import", tmp_path).output == "0 drawings are added, 4 known already.\n"
    assert [(each.id, each.created_at) for each in stored(site)] == before


def test_folder_of_mnist_keeps_its_split(site: Flask, tmp_path: Path) -> None:
    write_pair(tmp_path / "MNIST" / "raw", range(6))
    images = write_pair(tmp_path / "MNIST" / "raw", range(6, 10), "t10k")
    for file in (images, images.with_name("t10k-labels-idx1-ubyte")):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert run("import", tmp_path).output.startswith("10 drawings are added")
    with site.app_context():
        found = [(record.label, record.split) for record in read_records(Selection())]
    assert sorted(found, key=str) == [*((n, "train") for n in range(6)), *((n, "test") for n in range(6, 10))]
    [first, second] = {each.visitor for each in stored(site)}
    assert {split_of(first), split_of(second)} == {"train", "test"}
    assert run("forget", "--yes", first).exit_code == 0
    assert {each.visitor for each in stored(site)} == {second}


BAD_FILES: list[tuple[dict[str, Any], str]] = [
    ({"images": b""}, "no IDX file of images"),
    ({"images": idx(bytes(784 * 10), 10, 784)}, "no IDX file of images"),
    ({"images": idx(bytes(32 * 32 * 10), 10, 32, 32)}, "no IDX file of images"),
    ({"images": idx(bytes(784), 10, 28, 28)}, "end too early"),
    ({"images": idx(bytes(784 * 11), 10, 28, 28)}, "more bytes than they say"),
    ({"images": idx(bytes(784 * 9), 9, 28, 28)}, "another number of labels"),
    ({"images": idx(b"", 2**32 - 1, 28, 28)}, "another number of labels"),
    ({"labels": b"\0\0\x08"}, "no IDX file of labels"),
    ({"labels": idx(bytes(10), 10, 1)}, "another number|no IDX file of labels"),
    ({"labels": idx(bytes(9), 10)}, "end too early"),
    ({"labels": idx(bytes(11), 10)}, "more bytes than they say"),
    ({"labels": idx(bytes([10] * 10), 10)}, "a label that is no digit: 10"),
]


@pytest.mark.parametrize(("files", "reason"), BAD_FILES, ids=itertools.count())
def test_bad_files_are_refused(site: Flask, tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    result = run("import", write_pair(tmp_path, **files))
    assert result.exit_code == 1
    assert any(each in result.output for each in reason.split("|")), result.output
    assert stored(site) == []


def test_one_bad_pair_keeps_the_other_out(site: Flask, tmp_path: Path) -> None:
    write_pair(tmp_path)
    write_pair(tmp_path, [12], "t10k")
    assert run("import", tmp_path).exit_code == 1
    assert stored(site) == []


def test_missing_labels_and_damaged_gzip_are_named(site: Flask, tmp_path: Path) -> None:
    images = write_pair(tmp_path)
    images.with_name("train-labels-idx1-ubyte").unlink()
    assert "train-labels-idx1-ubyte" in run("import", images).output
    images.rename(tmp_path / f"{images.name}.gz")
    result = run("import", tmp_path)
    assert result.exit_code == 1
    assert "cannot be read" in result.output
