"""`mnistweb train` and `mnistweb evaluate`, from data to a file for the site, on small data."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from torch.optim.swa_utils import AveragedModel

from mnistweb.cli import main
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.report import read_reports
from mnistweb.recognition.zoo import Zoo
from mnistweb.training import loop, pipeline
from mnistweb.training.data import stroke_files
from mnistweb.training.data_mix import Copies, TrainingData, prepare
from mnistweb.training.lessons import Phase
from mnistweb.training.loop import TrainingConfig
from mnistweb.training.networks import NETWORKS
from mnistweb.training.recipes import RECIPES

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.fixture(scope="module")
def data(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    """Prepare the training data once."""
    return prepare(data_dir, stroke_files(data_dir), tmp_path_factory.mktemp("banks"), Copies().scaled(0.001))


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train without drawing the report."""
    monkeypatch.setattr(pipeline, "write_report", lambda *_: None)


def run(*arguments: str | Path) -> Result:
    """Call the command line."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def train(data_dir: Path, folder: Path, *more: str) -> Result:
    """Train a small LeNet-5."""
    paths: list[str | Path] = [
        "--data-dir",
        data_dir,
        "--runs",
        folder / "runs",
        "--output",
        folder / "weights",
    ]
    return run(
        "train", "--model", "lenet5", "--epochs", "2", "--bank", "0.001", "--device", "cpu", *paths, *more
    )


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a network with two seeds; return the folder."""
    folder = tmp_path_factory.mktemp("trained")
    result = train(data_dir, folder, "--seeds", "2")
    assert result.exit_code == 0, result.output
    return folder


def test_trained_model_can_be_served(trained: Path) -> None:
    zoo = Zoo.load(trained / "weights", default="lenet5")
    answer = zoo.get().recognize(np.zeros((28, 28), np.uint8))
    assert sum(answer.probabilities) == pytest.approx(1)
    assert answer.model_version == zoo.cards()[0].version


def test_exported_network_expects_as_many_non_digits_as_in_use(trained: Path) -> None:
    served = TorchScriptRecognizer.load(trained / "weights" / "lenet5.json").network.state_dict()
    checkpoint = torch.load(trained / "runs" / "lenet5-0" / "checkpoint.pt", weights_only=True)
    moved = {
        name: served[f"network.{name.removeprefix('module.')}"] - value
        for name, value in checkpoint["average"].items()
        if name != "n_averaged"
    }
    assert moved.pop("module.classifier.3.bias").tolist() == pytest.approx([0] * 10 + [-1.259], abs=1e-3)
    assert all(torch.all(difference == 0) for difference in moved.values())


def test_training_writes_reports(trained: Path) -> None:
    exported = read_reports(trained / "weights")["lenet5"]
    assert exported.version == read_card(trained / "weights" / "lenet5.json").version
    assert sum(map(sum, exported.confusions["mnist_test"])) == 100
    assert read_reports(trained / "runs" / "lenet5-1")["lenet5"].version != exported.version


def test_card_records_training_and_figures(trained: Path) -> None:
    card = read_card(trained / "weights" / "lenet5.json")
    assert card.training["epochs"] == 2
    assert card.training["images"]["mnist"] == 360
    assert card.training["share_of_non_digits"] == {"training": 36 / 128, "use": 0.1}
    assert [row["epoch"] for row in card.figures["history"]] == [1, 2]
    assert card.figures["over_seeds"]["seeds"] == [0, 1]
    assert card.figures["mnist_test"]["count"] == 100
    assert card.figures["drawings_test"]["count"] == 20
    assert card.figures["unipen_test"]["count"] == 20
    assert {"scribble", "several digits", "Greek", "written letter"} <= set(card.figures["not_digits"])
    assert {"slashed zero", "barred seven", "straight lines", "thick pen"} <= set(card.figures["ways"])
    assert card.figures["boundaries"]["curve"]


@pytest.mark.usefixtures("without_report")
def test_same_seed_gives_the_same_figures(trained: Path, data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "runs" / "banks", tmp_path / "runs" / "banks")
    assert train(data_dir, tmp_path).exit_code == 0
    first, again = (read_card(folder / "weights" / "lenet5.json") for folder in (trained, tmp_path))
    assert again.figures["mnist_test"] == first.figures["mnist_test"]
    assert (again.temperature, again.boundaries) == (first.temperature, first.boundaries)


def test_interrupted_run_arrives_at_the_same_weights(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainingConfig("lenet5", (Phase(2, 2e-3), Phase(2, 1e-3, sharp=0.5)))
    whole = loop.train(config, data, torch.device("cpu"), tmp_path / "whole")
    train_epoch = loop.train_epoch
    for stopped in (1, 2, 3):  # within the first phase, between both, within the second

        def fails(*arguments: Any, stopped: int = stopped) -> float:
            if arguments[3] == stopped:
                raise KeyboardInterrupt
            return train_epoch(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "train_epoch", fails)
            with pytest.raises(KeyboardInterrupt):
                loop.train(config, data, torch.device("cpu"), tmp_path / "cut")
    resumed = loop.train(config, data, torch.device("cpu"), tmp_path / "cut")
    assert resumed.history == whole.history
    for ours, theirs in zip(resumed.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_checkpoint_of_another_configuration_is_kept(trained: Path, data_dir: Path) -> None:
    before = (trained / "runs" / "lenet5-0" / "checkpoint.pt").read_bytes()
    result = train(data_dir, trained, "--epochs", "5")
    assert result.exit_code == 1
    assert "another configuration" in result.output
    assert (trained / "runs" / "lenet5-0" / "checkpoint.pt").read_bytes() == before


def test_evaluate_prints_figures_and_writes_a_report(trained: Path, data_dir: Path, tmp_path: Path) -> None:
    paths: list[str | Path] = ["--data-dir", data_dir, "--weights", trained / "weights", "--report", tmp_path]
    result = run("evaluate", "--all", "--robustness", *paths)
    assert result.exit_code == 0, result.output
    assert "MNIST test: right" in result.output
    assert "photo: on ruled paper" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["lenet5.json"]
    assert (tmp_path / "lenet5.json").read_text() == (
        trained / "weights" / "reports" / "lenet5.json"
    ).read_text()


def test_report_has_layers_filters_and_the_worst_mistakes(trained: Path) -> None:
    report = read_reports(trained / "weights")["lenet5"]
    assert "average pooling 2×2" in [layer.name for layer in report.layers]
    assert len(report.filters) == report.layers[1].shape[0]
    assert max(abs(weight) for kernel in report.filters for row in kernel for weight in row) == 1
    assert len(report.mistakes) <= 2
    for mistake in report.mistakes:
        assert mistake.digit != mistake.read_as
        assert mistake.image.startswith("data:image/png;base64,")
    sure = [mistake.confidence for mistake in report.mistakes]
    assert sure == sorted(sure, reverse=True)


def test_evaluate_repeats_the_figures_of_the_card_and_stores_them(
    trained: Path, data_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained / "weights", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "lenet5.json"
    card = read_card(path)
    parts = ("mnist_test", "drawings_test", "not_digits", "ways", "held_out_symbols", "robustness")
    kept = {name: value for name, value in card.figures.items() if name not in parts}
    dataclasses.replace(card, figures=kept).write(path)
    places: list[str | Path] = ["--data-dir", data_dir, "--weights", tmp_path]
    result = run("evaluate", "--robustness", "--cards", "--json", *places)
    assert result.exit_code == 0, result.output
    figures, stored = json.loads(result.stdout)["lenet5"], read_card(path)
    for part in parts:
        assert figures[part] == stored.figures[part] == card.figures[part]
    assert stored.figures["boundaries"] == card.figures["boundaries"]


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_last_stage_learns_from_teachers_and_averages_its_runs(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    teacher = TrainingConfig("vit", (Phase(1, 1e-3),))
    finish = TrainingConfig("lenet5", (Phase(1, 1e-3),), teacher=teacher)
    recipe = dataclasses.replace(RECIPES["lenet5"].with_epochs(1), finish=finish)
    monkeypatch.setitem(RECIPES, "lenet5", recipe)
    result = train(data_dir, tmp_path, "--jobs", jobs)
    assert result.exit_code == 0, result.output
    card = read_card(tmp_path / "weights" / "lenet5.json")
    assert card.training["teachers"]["count"] == card.training["averaged"] == 2
    assert [row["epoch"] for row in card.figures["history"]] == [1, 2]
    earlier = read_card(tmp_path / "runs" / "lenet5-0" / "lenet5.json").training
    assert not {"teachers", "averaged"} & earlier.keys()
    runs = tmp_path / "runs"
    folders = ("lenet5-0-teacher-0", "lenet5-0-teacher-1")
    teachers = [torch.load(runs / folder / "checkpoint.pt")["average"] for folder in folders]
    assert not torch.equal(*(each["module.classifier.weight"] for each in teachers))
    exported = TorchScriptRecognizer.load(tmp_path / "weights" / "lenet5.json").network
    weights = dict(exported.named_parameters())["network.classifier.1.weight"]
    folders = ("lenet5-0-finish-0", "lenet5-0-finish-1")
    endings = [torch.load(runs / folder / "checkpoint.pt")["average"] for folder in folders]
    first, second = (each["module.classifier.1.weight"] for each in endings)
    assert not torch.equal(first, second)
    assert torch.allclose(weights, (first + second) / 2)


@pytest.mark.parametrize("sharp", [0.0, 0.5, 1.0])
def test_share_of_images_stays_sharp(data: TrainingData, sharp: float) -> None:
    seen: list[torch.Tensor] = []
    network = NETWORKS["lenet5"]()
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    optimiser = torch.optim.SGD(network.parameters(), 0.0)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimiser)
    learner = loop.Learner(network, AveragedModel(network), optimiser, schedule)
    loop.train_epoch(learner, data, Phase(1, 0.0, sharp=sharp), 0, torch.device("cpu"), "")
    steps = torch.cat(seen).flatten(1) * 255
    # Undistorted images have whole grey levels.
    share = (steps - steps.round()).abs().amax(1).lt(1e-3).float().mean().item()
    assert share == pytest.approx(sharp, abs=0.05)


@pytest.mark.usefixtures("without_report")
def test_training_works_with_mnist_alone(data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir / "MNIST", tmp_path / "data" / "MNIST")
    result = train(tmp_path / "data", tmp_path, "--epochs", "1")
    assert result.exit_code == 0, result.output
    assert "drawings_test" not in read_card(tmp_path / "weights" / "lenet5.json").figures


def damage_mnist(folder: Path) -> None:
    """Damage the training images."""
    (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"\x00\x00\x08\x03damaged")


def test_broken_mnist_gives_one_error_sentence(data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir, tmp_path / "data")
    damage_mnist(tmp_path / "data")
    result = train(tmp_path / "data", tmp_path)
    assert result.exit_code == 1
    assert "MNIST is missing or broken" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strokes", "nowhere.json.gz"], "no such file"),
        (["--device", "nonsense"], "not available"),
        (["--epochs", "0"], "not in the range"),
    ],
)
def test_wrong_option_gives_one_error_sentence(
    arguments: list[str], sentence: str, data_dir: Path, tmp_path: Path
) -> None:
    result = train(data_dir, tmp_path, *arguments)
    assert result.exit_code != 0
    assert sentence in result.output
    assert "Traceback" not in result.output
