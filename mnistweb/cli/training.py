"""`mnistweb train` and `mnistweb evaluate`."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import torch

from mnistweb.recognition.model_card import ModelFileError
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.training import evaluation, robustness
from mnistweb.training.calibration import Calibration
from mnistweb.training.data import Images, stroke_files
from mnistweb.training.data_mix import Copies
from mnistweb.training.networks import NETWORKS
from mnistweb.training.pen_strokes import DataFileError
from mnistweb.training.pictures import load_pictures
from mnistweb.training.pipeline import train_and_export
from mnistweb.training.recipes import RECIPES
from mnistweb.training.report import write_report
from mnistweb.training.stages import Plan
from mnistweb.training.test_sets import test_sets

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder with MNIST/ and the stroke files; MNIST is downloaded if it is missing.",
)

runs_option = click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder for checkpoints and drawn images.",
)


@click.command()
@click.option("--model", type=click.Choice(sorted(NETWORKS)), default="cnn", show_default=True)
@data_dir_option
@click.option(
    "--strokes", multiple=True, type=click.Path(path_type=Path), help="Additional files of pen strokes."
)
@click.option(
    "--epochs", type=click.IntRange(1, 1_000), help="Passes over MNIST.  [default: the network's recipe]"
)
@click.option("--seed", type=click.IntRange(0, 1_000_000), default=0, show_default=True)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="Number of seeds to train; the first is exported.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Networks of the run to train at once, each with its share of the threads.",
)
@click.option("--threads", type=click.IntRange(1, 256), help="CPU threads.  [default: all cores]")
@click.option(
    "--bank",
    "scale",
    default=1.0,
    type=click.FloatRange(0.001, 10),
    help="Number of drawn training images, as a factor.",
)
@runs_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=WEIGHTS,
    help="Folder for the export.",
)
def train(
    model: str,
    data_dir: Path,
    strokes: tuple[Path, ...],
    epochs: int | None,
    seed: int,
    seeds: int,
    device: str,
    jobs: int,
    threads: int | None,
    scale: float,
    runs: Path,
    output: Path,
) -> None:
    """Train a network from scratch, evaluate it once on the test sets, and export it.

    After an interruption, the same command continues from the last checkpoint.
    """
    if threads:
        torch.set_num_threads(threads)
    recipe = RECIPES[model].with_epochs(epochs) if epochs else RECIPES[model]
    files = [*stroke_files(data_dir), *strokes]
    copies = Copies().scaled(scale)
    plan = Plan(
        recipe, range(seed, seed + seeds), data_dir, files, copies, runs, output, device_named(device), jobs
    )
    try:
        card = train_and_export(plan)
    except (DataFileError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    print_figures(card.title, card.figures)
    click.echo(f"Exported {output / card.name}.pt, version {card.version}.")


def device_named(name: str) -> torch.device:
    """Return the device of that name; "auto" is a GPU if there is one. Raises ClickException."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise click.ClickException(
            f"--device {name}: not available ({str(error).splitlines()[0]})"
        ) from error
    return device


@click.command()
@click.option(
    "--model", "names", multiple=True, help="Name of an exported model, repeatable.  [default: all]"
)
@click.option("--all", "all_models", is_flag=True, help="All models, as without --model.")
@data_dir_option
@click.option("--weights", type=click.Path(exists=True, file_okay=False, path_type=Path), default=WEIGHTS)
@click.option("--robustness", "distorted", is_flag=True, help="Also evaluate distorted drawings.")
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Evaluate a folder of pictures with an index.tsv (columns file and digit) alone.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the reports that the models' pages show to this folder.",
)
@click.option("--cards", is_flag=True, help="Also store the figures in the models' cards.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def evaluate(
    names: tuple[str, ...],
    all_models: bool,
    data_dir: Path,
    weights: Path,
    distorted: bool,
    pictures: Path | None,
    report: Path | None,
    cards: bool,
    as_json: bool,
) -> None:
    """Evaluate exported models on MNIST's test images, on drawings unseen in training, or on pictures."""
    if all_models and names:
        raise click.UsageError("--all and --model exclude each other.")
    if pictures and (distorted or report or cards):
        raise click.UsageError("--pictures goes without --robustness, --report and --cards.")
    try:
        recognizers = _recognizers(weights, names)
        if pictures:
            results = _on_pictures(recognizers, load_pictures(pictures))
        else:
            results = _on_test_sets(recognizers, data_dir, distorted, report)
            if cards:
                _store(recognizers, results, weights)
    except (DataFileError, ModelFileError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(results, indent=2))
        return
    for recognizer in recognizers:
        print_figures(f"{recognizer.card.title} ({recognizer.card.name})", results[recognizer.card.name])


def _on_pictures(recognizers: list[TorchScriptRecognizer], images: Images) -> dict[str, Any]:
    return {
        recognizer.card.name: {
            "pictures": evaluation.picture_figures(recognizer.network, _calibration(recognizer), images)
        }
        for recognizer in recognizers
    }


def _on_test_sets(
    recognizers: list[TorchScriptRecognizer], data_dir: Path, distorted: bool, report: Path | None
) -> dict[str, Any]:
    sets = test_sets(data_dir)
    results = {
        recognizer.card.name: evaluation.measure(recognizer.network, _calibration(recognizer), sets)
        for recognizer in recognizers
    }
    if distorted:
        for name, rows in _robustness(recognizers, data_dir).items():
            results[name]["robustness"] = [dataclasses.asdict(row) for row in rows]
    if report:
        for recognizer in recognizers:
            write_report(report, recognizer.card, recognizer.network, sets)
    return results


def _store(recognizers: list[TorchScriptRecognizer], results: Mapping[str, Any], weights: Path) -> None:
    """Write the figures to the cards; those that only a training can measure stay."""
    for card in (recognizer.card for recognizer in recognizers):
        figures = {**card.figures, **results[card.name]}
        dataclasses.replace(card, figures=figures).write(weights / f"{card.name}.json")


def _recognizers(weights: Path, names: tuple[str, ...]) -> list[TorchScriptRecognizer]:
    paths = [path for path in sorted(weights.glob("*.json")) if not names or path.stem in names]
    if missing := set(names) - {path.stem for path in paths}:
        raise click.ClickException(f"{weights}: no model {', '.join(sorted(missing))}")
    return [TorchScriptRecognizer.load(path) for path in paths]


def _calibration(recognizer: TorchScriptRecognizer) -> Calibration:
    return Calibration(recognizer.card.temperature, recognizer.card.boundaries)


def _robustness(recognizers: list[TorchScriptRecognizer], data_dir: Path) -> dict[str, list[robustness.Row]]:
    samples = robustness.held_out_digits(data_dir)
    if not samples:
        raise DataFileError(f"{data_dir}: --robustness needs a file of pen strokes")
    networks = {
        recognizer.card.name: (recognizer.network, _calibration(recognizer)) for recognizer in recognizers
    }
    return robustness.measure(networks, samples)


def print_figures(title: str, figures: Mapping[str, Any]) -> None:
    """Print the figures of a model."""
    click.echo(f"\n{title}")
    for words, number in evaluation.summary(figures):
        click.echo(f"  {words:58} {number}")
    if rows := figures.get("robustness"):
        click.echo(f"\n  {'condition':40} {'right':>8} {'answered':>9} {'plain resize':>13}")
        for row in rows:
            right, answered, resized = row["right"], row["answered_right"], row["plain_resize"]
            click.echo(f"  {row['condition']:40} {right:8.1%} {answered:9.1%} {resized:13.1%}")
