"""Exports, read by the programs that they are for."""

import gzip
import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from mnistweb.datasets import export as exporting
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.records import Selection, read_records, writer_number
from mnistweb.training.data import load_drawings, load_mnist
from tests.support.data_sets import TESTING, TRAINING, drawing, run, small_log, strokes_of
from tests.support.rows import NOON, add

Export = Callable[..., Path]


@pytest.fixture
def filled(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    with app.app_context():
        add(*small_log())
    return app


@pytest.fixture
def export(filled: Flask, tmp_path: Path) -> Export:
    def to_folder(*formats: str, **options: str) -> Path:
        given = [part for name, value in options.items() for part in (f"--{name}", value)]
        result = run("export", tmp_path / "set", *(f"--format={name}" for name in formats), *given)
        assert result.exit_code == 0, result.output
        return tmp_path / "set"

    return to_folder


@pytest.fixture
def inputs(filled: Flask) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    with filled.app_context():
        return [record.image for record in read_records(Selection())]


def test_torchvision_reads_idx_files_unchanged(export: Export, inputs: list[Any]) -> None:
    folder = export("idx")
    train, test = (load_mnist(folder, train=each, download=False) for each in (True, False))
    assert np.array_equal(train.images, inputs[:10])
    assert np.array_equal(test.images, inputs[10:20])
    assert train.labels.tolist() == test.labels.tolist() == [*range(10)]


def test_image_folder_reads_the_pictures(export: Export, inputs: list[Any]) -> None:
    from torchvision.datasets import ImageFolder

    pictures = ImageFolder(str(export("png") / "png" / "train"), allow_empty=True)
    assert pictures.classes == [*map(str, range(10)), "none"]
    assert [label for _, label in pictures] == [*range(11)]
    found = [np.asarray(picture)[:, :, 0] for picture, _ in pictures]
    assert np.array_equal(found, [*inputs[:10], inputs[20]])


@pytest.mark.process
def test_pictures_have_a_list_of_hashes(export: Export) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=export("png") / "png", check=True)


def test_pandas_reads_kaggles_columns(export: Export, inputs: list[Any]) -> None:
    import pandas

    folder = export("csv") / "csv"
    train, test = pandas.read_csv(folder / "train.csv"), pandas.read_csv(folder / "test.csv")
    assert [*train.columns] == ["label", *(f"pixel{number}" for number in range(784))]
    assert train["label"].tolist() == test["label"].tolist() == [*range(10)]
    assert np.array_equal(train.drop(columns="label").to_numpy().reshape(-1, 28, 28), inputs[:10])


def test_hugging_face_loads_the_folder(
    export: Export, inputs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder = export("parquet", "png", "csv", "strokes")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 11, "test": 10}
    rows = [*loaded["train"], *loaded["test"]]
    assert [each["label"] for each in rows] == [*range(11), *range(10)]
    assert loaded["train"].features["label"].int2str([3, 10]) == ["3", "not a digit"]
    found = np.array([np.asarray(each["image"]) for each in rows])
    assert np.array_equal(found, [*inputs[:10], inputs[20], *inputs[10:20]])
    assert len({each["writer"] for each in rows}) == 2
    assert {each["origin"] for each in rows} == {"reviewed"}


def test_hugging_face_loads_a_folder_without_test_drawings(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder = export("parquet", filter="digit=none")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 1}


def test_pandas_reads_parquet(export: Export) -> None:
    import pandas

    table = pandas.read_parquet(export("parquet") / "data" / "train.parquet")
    assert table["label"].tolist() == [*range(11)]
    assert table["image"][0]["bytes"].startswith(b"\x89PNG")


def test_training_reads_the_strokes(export: Export) -> None:
    folder = export("strokes") / "strokes"
    drawings = load_drawings([folder / "train.json.gz", folder / "test.json.gz"])
    assert [sample.label for sample in drawings.train] == [*range(10)] * 2
    expected = [point[:2] for point in strokes_of(4)["strokes"][0]["points"]]
    assert np.allclose(drawings.train[4].strokes[0], expected)
    assert len({sample.writer for sample in drawings.train}) == 2


def test_manifest_says_what_the_export_has(export: Export) -> None:
    folder = export("idx", "png", "csv", "parquet", "strokes", filter="from=2026-01-01&to=2026-01-01")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["labels"] == "reviewed"
    assert manifest["filter"] == {"from": "2026-01-01", "to": "2026-01-01"}
    assert manifest["counts"] == {
        "drawings": 21,
        "labels": {**{str(digit): 2 for digit in range(10)}, "not a digit": 1},
        "origins": {"reviewed": 21},
        "splits": {"train": 11, "test": 10},
        "writers": 2,
    }
    assert manifest["formats"] == {
        "idx": {"train": 10, "test": 10},
        "png": {"train": 11, "test": 10},
        "csv": {"train": 10, "test": 10},
        "parquet": {"train": 11, "test": 10},
        "strokes": {"train": 10, "test": 10},
    }
    listed = {name: each["sha256"] for name, each in manifest["files"].items()}
    assert listed == {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".png" and path.parent != folder
    }


def test_card_says_how_to_read_it_and_what_was_left_out(export: Export) -> None:
    card = (export("idx", "parquet") / "README.md").read_text()
    assert "  - split: train\n    path: data/train.parquet\n" in card
    assert "size_categories:\n- n<1K\n" in card
    assert '`torchvision.datasets.MNIST(".")` | 10 | 10 |' in card
    assert "1 drawing that is not a digit has no place among the ten classes of `idx`" in " ".join(
        card.split()
    )


def test_writers_are_numbers_that_name_nobody(export: Export) -> None:
    folder = export("parquet", "strokes")
    import pandas

    manifest = json.loads((folder / "manifest.json").read_text())
    numbers = {*pandas.read_parquet(folder / "data" / "train.parquet")["writer"]}
    assert numbers == {writer_number(TRAINING, bytes.fromhex(manifest["writer_key"]))}
    texts = [path.read_bytes() for path in folder.rglob("*.parquet")]
    texts += [gzip.decompress(path.read_bytes()) for path in folder.rglob("*.gz")]
    assert not any(name.encode() in text for text in texts for name in (TRAINING, TESTING))


@pytest.mark.parametrize(
    ("options", "drawings"),
    [
        ({"filter": "digit=3"}, 2),
        ({"filter": "https://digits.example.org/history?digit=none"}, 1),
        ({"labels": "any"}, 23),
        ({"labels": "prompted"}, 1),
        ({"labels": "feedback"}, 1),
    ],
)
def test_selection(filled: Flask, export: Export, options: dict[str, str], drawings: int) -> None:
    with filled.app_context():
        unreviewed: dict[str, Any] = {"decision": None, "truth": None, "digit": 5}
        add(
            drawing(1, 30, prompt=1, **unreviewed),
            drawing(1, 31, label=2, labelled_at=NOON, **unreviewed),
            drawing(1, 32, **unreviewed),
        )
    manifest = json.loads((export("csv", **options) / "manifest.json").read_text())
    assert manifest["counts"]["drawings"] == drawings


@pytest.mark.parametrize("text", ["digit=12", "mine=1", "colour=red", "from=yesterday"])
def test_unknown_filter_is_refused(filled: Flask, tmp_path: Path, text: str) -> None:
    result = run("export", tmp_path / "set", "--format=csv", f"--filter={text}")
    assert result.exit_code == 2
    assert "filter" in result.output


def test_folder_with_content_stays_as_it_is(filled: Flask, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("a picture")
    for options in ([], ["--force"]):
        result = run("export", tmp_path, "--format=csv", *options)
        assert result.exit_code == 1
        assert "has files that are no export" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_only_force_replaces_an_earlier_export(filled: Flask, export: Export, tmp_path: Path) -> None:
    folder = export("csv")
    result = run("export", folder, "--format=idx")
    assert result.exit_code == 1
    assert "--force replaces it" in result.output
    assert (folder / "csv").is_dir()
    assert run("export", folder, "--format=idx", "--force").exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"MNIST", "README.md", "manifest.json"}
    assert [*tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("error", [DataSetError("no"), KeyboardInterrupt(), OSError("disk full")])
def test_failed_export_leaves_nothing_behind(
    filled: Flask, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    folder = export("csv")
    before = (folder / "manifest.json").read_text()

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(exporting, "hashes_of", fail)
    assert run("export", tmp_path / "other", "--format=csv").exit_code == 1
    assert run("export", folder, "--format=csv", "--force").exit_code == 1
    assert [*tmp_path.iterdir()] == [folder]
    assert (folder / "manifest.json").read_text() == before


def test_earlier_export_comes_back_if_the_new_one_cannot_be_moved(
    filled: Flask, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export("csv")
    rename = Path.rename

    def fail_for_draft(self: Path, target: Path) -> Path:
        if ".part." in self.name:
            raise OSError("cannot be moved")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_draft)
    assert run("export", folder, "--format=idx", "--force").output == "Error: cannot be moved\n"
    assert [*tmp_path.iterdir()] == [folder]
    assert (folder / "csv").is_dir()


def test_export_without_drawings_is_refused(filled: Flask, tmp_path: Path) -> None:
    result = run("export", tmp_path / "set", "--format=idx", "--filter=model=gone")
    assert (result.exit_code, result.output) == (1, "Error: There are no such drawings.\n")
    assert not any(tmp_path.iterdir())


def test_missing_pyarrow_gets_a_sentence(
    filled: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    result = run("export", tmp_path / "set", "--format=parquet")
    assert result.exit_code == 1
    assert 'pip install "mnistweb[data]"' in result.output
    assert not any(tmp_path.iterdir())
