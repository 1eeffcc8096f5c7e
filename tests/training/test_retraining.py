"""`mnistweb retrain` and `mnistweb models compare`, from reviewed drawings to a new version."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from flask import Flask

from mnistweb.cli import main
from mnistweb.database.models import Decision, Prediction
from mnistweb.datasets.records import split_of
from mnistweb.extensions import db
from mnistweb.recognition.comparison import parse_comparison
from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_card
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rasteriser import Stroke, rasterise
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.types import to_ink
from mnistweb.recognition.zoo import WEIGHTS, Zoo
from mnistweb.registry.versions import live_version, promote, read_version
from mnistweb.training import loop
from mnistweb.training.fine_tuning import trainable
from mnistweb.training.networks import NETWORKS
from mnistweb.training.pen_strokes import DataFileError
from mnistweb.training.prior import shift_of, shifted
from tests.support.drawings import STROKES
from tests.support.networks import other_version, untrained
from tests.support.rows import NOON, add, row

pytestmark = pytest.mark.usefixtures("few_pictures")
VISITORS = [f"visitor {n}" for n in range(10)]
INSTALLED = read_card(WEIGHTS / "lenet5.json")


def drawing(digit: int, visitor: str, **fields: Any) -> Prediction:
    """Return a drawing of the log, with its strokes."""
    points = [np.array(stroke, float) for stroke in STROKES[digit]]
    image = normalize(to_ink(rasterise([Stroke(each, 20.0) for each in points], 84)))
    strokes = {"size": 280, "strokes": [{"width": 20, "points": each.tolist()} for each in points]}
    values = {"input": image.tobytes(), "strokes": strokes, "digit": digit} | fields
    return row(NOON, visitor, **values)


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A log of reviewed drawings by ten visitors, two digits each, and one that is none."""
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    drawings = [
        drawing(digit, visitor, decision=Decision.DIGIT, truth=digit)
        for number, visitor in enumerate(VISITORS)
        for digit in (number, (number + 3) % 10)
    ]
    drawings.append(drawing(0, VISITORS[0], strokes=None, decision=Decision.NOT_A_DIGIT))
    drawings.append(drawing(1, VISITORS[0], label=2, labelled_at=NOON))
    with app.app_context():
        add(*drawings)
        yield app


def run(*arguments: object) -> Result:
    """Call the command line."""
    return CliRunner().invoke(main, [*map(str, arguments)])


def retrain(data_dir: Path, runs: Path, *more: str) -> Result:
    """Fine-tune LeNet-5 for a few batches."""
    settings = ["--model", "lenet5", "--epochs", "2", "--steps", "2", "--bank", "0.001", "--device", "cpu"]
    return run("retrain", *settings, "--data-dir", data_dir, "--runs", runs, "--by", "ada", *more)


def new_card(output: str) -> ModelCard:
    """Read the card of the export that a command named."""
    [line] = [line for line in output.splitlines() if line.startswith("Exported")]
    return read_card(Path(line.split()[1].rstrip(",")).with_suffix(".json"))


def test_retrained_version_is_added_compared_and_shown(log: Flask, data_dir: Path, tmp_path: Path) -> None:
    result = retrain(data_dir, tmp_path / "runs")
    assert result.exit_code == 0, result.output
    card = new_card(result.output)
    assert live_version("lenet5") == INSTALLED.version
    _, kept = read_version("lenet5", card.version)
    assert kept == card
    tests = sum(split_of(visitor) == "test" for visitor in VISITORS)
    lineage = card.training
    assert (lineage["parent"], lineage["labels"]) == (INSTALLED.version, "reviewed")
    assert lineage["reviewed"]["test"]["visitors"] == tests
    assert lineage["calibrated"]
    assert {"mnist_test", "drawings_test", "reviewed_test", "boundaries"} <= set(card.figures)
    assert card.data[-1]["name"] == "Reviewed drawings"

    json_file, page = tmp_path / "comparison.json", tmp_path / "comparison.html"
    files = ["--json", json_file, "--html", page]
    places = ["--data-dir", data_dir, "--runs", tmp_path / "runs"]
    result = run("models", "compare", "lenet5", f"lenet5@{card.version}", *places, *files)
    assert result.exit_code == 0, result.output
    assert "MNIST test *" in result.output
    made = parse_comparison(json_file.read_text())
    assert (made.model, made.old, made.new, made.notes) == ("lenet5", INSTALLED.version, card.version, ())
    counts = {each.name: each.n for each in made.sets}
    assert counts["mnist_test"] == 100
    assert counts["reviewed"] + counts["learned"] == 2 * len(VISITORS) + 1
    text = page.read_text()
    assert "What is not a digit" in text or "what is not a digit" in text
    assert "static/" not in text
    assert page.stat().st_mode & 0o777 == 0o600  # it shows what visitors drew

    promotion = promote("lenet5", card.version, made, by="ada", reason="a test", force=True)
    answer = log.test_client().get(f"/models/lenet5/compare/{promotion.id}")
    assert answer.status_code == 200
    assert "How much better it is" in answer.text
    assert log.test_client().get(f"/models/cnn/compare/{promotion.id}").status_code == 404


def test_interrupted_run_is_continued(
    log: Flask, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_epoch = loop.train_epoch

    def fails(*arguments: Any) -> float:
        if arguments[3] == 1:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_epoch", fails)
        assert retrain(data_dir, tmp_path / "runs", "--no-add").exit_code != 0
    result = retrain(data_dir, tmp_path / "runs", "--no-add")
    assert "continuing after epoch 1" in result.output
    resumed, whole = (
        new_card(result.output),
        new_card(retrain(data_dir, tmp_path / "again", "--no-add").output),
    )
    assert resumed.sha256 == whole.sha256
    with pytest.raises(ModelFileError, match="no version"):
        read_version("lenet5", whole.version)


def test_without_mnist_and_strokes_it_says_so(log: Flask, tmp_path: Path) -> None:
    result = retrain(tmp_path / "nothing", tmp_path / "runs", "--labels", "any")
    assert result.exit_code == 0, result.output
    assert "has no MNIST" in result.output
    assert "no stroke files" in result.output
    card = new_card(result.output)
    assert (card.temperature, card.boundaries) == (INSTALLED.temperature, INSTALLED.boundaries)
    assert not card.training["calibrated"]
    assert "mnist_test" not in card.figures
    places = ["--data-dir", tmp_path / "nothing", "--runs", tmp_path]
    export = tmp_path / "export"
    result = run("models", "compare", f"lenet5@{card.version}", "lenet5", *places, "--json", "-")
    made = json.loads(result.stdout)
    assert [each["frozen"] for each in made["sets"]] == [False] * len(made["sets"])
    assert "frozen test sets are missing" in made["notes"][0]
    assert not export.exists()


def test_without_a_drawing_there_is_nothing_to_learn(log: Flask, data_dir: Path, tmp_path: Path) -> None:
    result = retrain(data_dir, tmp_path, "--labels", "prompted")
    assert result.exit_code == 1
    assert "no labelled drawing" in result.output


def test_exported_files_are_compared(log: Flask, tmp_path: Path) -> None:
    file, card = other_version()
    (tmp_path / "lenet5.pt").write_bytes(file)
    card.write(tmp_path / "lenet5.json")
    for new in (tmp_path, tmp_path / "lenet5.pt", tmp_path / "lenet5.json"):
        result = run("models", "compare", "lenet5", new, "--data-dir", tmp_path, "--no-log", "--json", "-")
        assert json.loads(result.stdout)["new"] == card.version
        assert json.loads(result.stdout)["sets"] == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "neither a model"),
        ("lenet5@0123456789ab", "has no version"),
        ("other@0123456789ab", "no model other"),
        ("{}", "0 model cards"),
    ],
)
def test_unknown_versions_are_named(log: Flask, tmp_path: Path, name: str, message: str) -> None:
    result = run("models", "compare", "lenet5", name.format(tmp_path), "--data-dir", tmp_path)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_file_in_a_missing_folder_is_refused_before_comparing(tmp_path: Path, option: str) -> None:
    result = run("models", "compare", "lenet5", "lenet5", option, tmp_path / "missing" / "file")
    assert result.exit_code == 2
    assert f"There is no folder {tmp_path}/missing." in result.output


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_shipped_models_can_be_trained_further(name: str) -> None:
    shipped = Zoo.load().get(name)
    assert isinstance(shipped, TorchScriptRecognizer)
    images = np.random.default_rng(0).integers(0, 255, (8, 28, 28), np.uint8)
    network = shifted(trainable(shipped), shift_of(shipped.card.training))
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(images).unsqueeze(1).float() / 255)
    assert logits.numpy() == pytest.approx(shipped.logits(images), abs=1e-3)


def test_other_architectures_are_refused() -> None:
    lenet, vit = untrained("lenet5"), untrained("vit")
    with pytest.raises(DataFileError, match="its layers are not those"):
        trainable(vit.with_card(lenet.card))
    with pytest.raises(DataFileError, match="no network of this program"):
        trainable(vit.with_card(replace(vit.card, name="other")))


def test_versions_of_different_models_are_compared_with_a_note(log: Flask, tmp_path: Path) -> None:
    result = run("models", "compare", "lenet5", "vit", "--data-dir", tmp_path, "--no-log", "--json", "-")
    assert json.loads(result.stdout)["notes"][0] == "The old version is one of lenet5, the new one of vit."


def test_nothing_is_written_by_a_comparison(log: Flask, tmp_path: Path) -> None:
    before = db.session.query(Prediction).count()
    run("models", "compare", "lenet5", "lenet5", "--data-dir", tmp_path)
    assert db.session.query(Prediction).count() == before
