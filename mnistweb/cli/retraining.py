"""`mnistweb retrain`: a new version of a model, from reviewed drawings."""

from pathlib import Path
from typing import get_args

import click
import numpy as np
import torch

from mnistweb.cli.contenders import load_live
from mnistweb.cli.database import on_database
from mnistweb.cli.training import data_dir_option, device_named, print_figures, runs_option
from mnistweb.cli.versions import by_option
from mnistweb.datasets.records import Labels, Record, Selection, read_records
from mnistweb.recognition.model_card import ModelFileError
from mnistweb.recognition.report import FOLDER
from mnistweb.registry import versions
from mnistweb.training import export
from mnistweb.training.data import has_mnist, stroke_files
from mnistweb.training.data_mix import Copies
from mnistweb.training.fine_tuning import Plan, Retrained
from mnistweb.training.fine_tuning import retrain as fine_tune
from mnistweb.training.networks import NETWORKS
from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError
from mnistweb.training.reviewed import Drawn

KEY = b"retrain"
"""Gives a visitor the same number in each run, so that an interrupted one can be continued."""
FEW = 50
"""Drawings below which a retraining says that they are few."""


@click.command()
@click.option("--model", type=click.Choice(sorted(NETWORKS)), default="cnn", show_default=True)
@click.option(
    "--labels",
    type=click.Choice(get_args(Labels)),
    default="reviewed",
    show_default=True,
    help="Whose word to believe: the review's, the challenge's, the visitors', or all in this order.",
)
@data_dir_option
@click.option("--epochs", type=click.IntRange(1, 1_000), default=3, show_default=True)
@click.option(
    "--steps", type=click.IntRange(1, 100_000), default=400, show_default=True, help="Batches in an epoch."
)
@click.option("--seed", type=click.IntRange(0, 1_000_000), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")
@click.option("--threads", type=click.IntRange(1, 256), help="CPU threads.  [default: all cores]")
@click.option(
    "--bank",
    "scale",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0.001, 10),
    help="Number of drawn images beside the reviewed ones, as a factor of those of a whole training.",
)
@runs_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the export.  [default: the run's folder]",
)
@click.option("--add/--no-add", default=True, help="Whether to add the version to those of the site.")
@by_option
def retrain(
    model: str,
    labels: Labels,
    data_dir: Path,
    epochs: int,
    steps: int,
    seed: int,
    device: str,
    threads: int | None,
    scale: float,
    runs: Path,
    output: Path | None,
    add: bool,
    by: str,
) -> None:
    """Fine-tune the live version of a model on reviewed drawings, as a new version that is not live yet.

    It goes on learning from MNIST and drawn images too, so that it forgets nothing. It is tested by other
    visitors than it learns from. The same command continues an interrupted run.
    """
    if threads:
        torch.set_num_threads(threads)
    with on_database():
        try:
            parent = load_live(model)
            drawn = [_as_drawn(record) for record in read_records(Selection(labels), KEY)]
            _describe(drawn, data_dir)
            plan = Plan(
                parent,
                drawn,
                labels,
                data_dir,
                runs,
                device_named(device),
                epochs,
                steps,
                seed,
                Copies().scaled(scale),
            )
            done = fine_tune(plan)
            folder = _write(done, output)
            print_figures(done.card.title, done.card.figures)
            click.echo(f"Exported {folder / model}.pt, version {done.card.version}.")
            if add:
                new = versions.add_version(done.script, done.card, done.report, parent.card.version, by)
                click.echo(
                    f"{model} {done.card.version} {'is' if new else 'was'} added, and is not live. "
                    f"Next: mnistweb models compare {model} {model}@{done.card.version}"
                )
        except (DataFileError, ModelFileError, versions.VersionError, ValueError) as error:
            raise click.ClickException(str(error)) from None


def _as_drawn(record: Record) -> Drawn:
    strokes = record.strokes["strokes"] if record.strokes else []
    points = (np.array([point[:2] for point in stroke["points"]], np.float64) for stroke in strokes)
    return Drawn(
        str(record.id),
        record.image,
        NOT_A_DIGIT if record.label is None else record.label,
        record.writer,
        record.split == "test",
        tuple(points),
    )


def _describe(drawn: list[Drawn], data_dir: Path) -> None:
    """Say what there is to learn from. Raises ClickException without a drawing to train on."""
    train = [each for each in drawn if not each.test]
    if not train:
        raise click.ClickException(
            "There is no labelled drawing to learn from. Review some first, or choose other --labels."
        )
    visitors = len({each.writer for each in train})
    click.echo(
        f"{len(train):,} drawings by {visitors:,} visitors, and {len(drawn) - len(train):,} to test by."
    )
    if len(train) < FEW:
        click.echo("They are few: expect little.")
    if not has_mnist(data_dir):
        click.echo(
            f"{data_dir} has no MNIST: only a low learning rate guards what the model knows. Its calibration "
            "stays, and no frozen test set is measured. `mnistweb train` downloads MNIST."
        )
    if not stroke_files(data_dir):
        click.echo(f"{data_dir} has no stroke files: the only drawn digits are printed ones.")


def _write(done: Retrained, output: Path | None) -> Path:
    folder = output or done.folder / "export"
    export.write_model(folder, done.script, done.card)
    done.report.write(folder / FOLDER)
    return folder
