"""`mnistweb models compare`: two versions of a model on the same drawings."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import click
import numpy as np
import torch
from flask import Flask
from tqdm import tqdm

from mnistweb.cli.comparison_tables import comparison_text
from mnistweb.cli.contenders import load_contender
from mnistweb.cli.database import on_database
from mnistweb.cli.training import data_dir_option, runs_option
from mnistweb.datasets.records import Labels, Record, Selection, count_records, read_records
from mnistweb.recognition.comparison import MARGIN, REVIEWED, Comparison
from mnistweb.recognition.model_card import ModelFileError
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.registry.versions import VersionError
from mnistweb.training.calibration import Calibration
from mnistweb.training.comparison import Batch, Contender, ReplaySet, frozen_sets
from mnistweb.training.comparison import compare as replay
from mnistweb.training.data import Images, has_mnist
from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError
from mnistweb.training.readings import BATCH
from mnistweb.training.test_sets import kept_test_sets

LOG: dict[str, tuple[Labels, str, str]] = {
    REVIEWED: ("reviewed", "test", "reviewed drawings"),
    "prompted": ("prompted", "test", "prompted drawings"),
    "claims": ("feedback", "test", "drawings that visitors rated"),
    "learned": ("reviewed", "train", "reviewed drawings that it may have learned from"),
}
"""The sets of the log: the labels' origin, the split by visitor, and the title."""


def _in_a_folder(_: click.Context, __: click.Parameter, file: Path | None) -> Path | None:
    """Refuse a file whose folder is missing, before the comparison takes its minutes."""
    if file and not file.parent.is_dir():
        raise click.BadParameter(f"There is no folder {file.parent}.")
    return file


@click.command()
@click.argument("old")
@click.argument("new")
@data_dir_option
@runs_option
@click.option("--log/--no-log", default=True, help="Whether to replay the drawings of the log.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=MARGIN,
    show_default=True,
    help="How much worse the new version may be on a frozen test set, as a share of its drawings.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    callback=_in_a_folder,
    help="Write the comparison to this file, for `mnistweb models promote`; - is the standard output.",
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_in_a_folder,
    help="Write a page with charts and the drawings that are read differently. Keep it as you keep the log.",
)
def compare(
    old: str,
    new: str,
    data_dir: Path,
    runs: Path,
    log: bool,
    margin: float,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Compare two versions of a model on reviewed drawings and on the frozen test sets.

    OLD and NEW are a model's name for its live version, NAME@VERSION, or an exported file or folder. Drawings
    of the log are those of the visitors from whom no training learns. Nothing is written to the database.
    """
    with on_database() as app:
        try:
            compared = compare_versions(load_contender(old), load_contender(new), data_dir, runs, log)
        except (DataFileError, ModelFileError, VersionError) as error:
            raise click.ClickException(str(error)) from None
    if json_file != Path("-"):
        click.echo(comparison_text(compared, margin))
    if json_file:
        with click.open_file(str(json_file), "w", encoding="utf-8") as file:
            json.dump(compared.as_json(), file, indent=1)
            file.write("\n")
    if html_file:
        html_file.touch(0o600)  # it shows what visitors drew
        html_file.chmod(0o600)
        html_file.write_text(_page(app, compared, margin), encoding="utf-8")


def compare_versions(
    old: TorchScriptRecognizer, new: TorchScriptRecognizer, data_dir: Path, runs: Path, log: bool = True
) -> Comparison:
    """Replay the log and the frozen test sets through two versions. Needs an application context."""
    contenders = [
        Contender(
            each.card.name,
            each.card.version,
            each.network,
            Calibration(each.card.temperature, each.card.boundaries),
        )
        for each in (old, new)
    ]
    notes = []
    if old.card.name != new.card.name:
        notes.append(f"The old version is one of {old.card.name}, the new one of {new.card.name}.")
    sets = [*_log_sets()] if log else []
    if not log:
        notes.append("The log was not replayed.")
    if has_mnist(data_dir):
        sets += frozen_sets(kept_test_sets(data_dir, runs / "banks"))
    else:
        notes.append(f"The frozen test sets are missing, since {data_dir} has no MNIST.")
    return replay(contenders[0], contenders[1], sets, notes)


def _log_sets() -> Iterator[ReplaySet]:
    for name, (labels, split, title) in LOG.items():
        yield ReplaySet(name, title, False, _log_batches(Selection(labels), split, title))


def _log_batches(selection: Selection, split: str, title: str) -> Iterator[Batch]:
    """Yield the drawings of a split in batches, in constant memory."""
    total = count_records(selection)
    batch: list[Record] = []
    for record in tqdm(
        read_records(selection, strokes=False), title, total, leave=False, unit="drawing", disable=not total
    ):
        if record.split == split:
            batch.append(record)
        if len(batch) == BATCH:
            yield _as_batch(batch)
            batch = []
    if batch:
        yield _as_batch(batch)


def _as_batch(records: Sequence[Record]) -> tuple[Images, list[UUID]]:
    images = torch.from_numpy(np.stack([record.image for record in records]))
    labels = [NOT_A_DIGIT if record.label is None else record.label for record in records]
    kinds = tuple(record.origin for record in records)
    return Images(images, torch.tensor(labels), kinds), [record.id for record in records]


def _page(app: Flask, compared: Comparison, margin: float) -> str:
    from mnistweb.registry.comparison_page import standalone_page

    with app.app_context():
        return standalone_page(compared, margin)
