"""Pictures of a training report: learning curves, confusions, calibration, mistakes and filters."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from mnistweb.recognition.model_card import ModelCard
from mnistweb.training.calibration import Calibration, digit_probabilities, not_a_digit, reliability
from mnistweb.training.data import Images
from mnistweb.training.diagram import stages, to_svg
from mnistweb.training.evaluation import TestSets, served_logits
from mnistweb.training.networks import NETWORKS

NETWORK, PAPER, PENCIL = "#1f6f8b", "#faf8f3", "#3b3a36"
MAX_MISTAKES = 40


def write_report(folder: Path, card: ModelCard, served: nn.Module, sets: TestSets) -> list[Path]:
    """Draw all pictures that the card and the test sets allow; return the files' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    calibration = Calibration(card.temperature, card.threshold)
    measured = {"MNIST test": sets.mnist} | ({"drawings": sets.drawings} if sets.drawings else {})
    logits = {name: served_logits(served, images.images) for name, images in measured.items()}
    figures = {
        "confusion": confusion_matrices(measured, logits),
        "reliability": reliability_diagrams(measured, logits, calibration),
        "mistakes": worst_mistakes(measured, logits, calibration),
    }
    if history := card.figures.get("history"):
        figures["learning"] = learning_curves(history)
    if (filters := first_filters(served)) is not None:
        figures["filters"] = filters
    paths = []
    for name, figure in figures.items():
        path = folder / f"{card.name}-{name}.png"
        figure.savefig(path, dpi=110, facecolor=PAPER, metadata={"Software": None})
        paths.append(path)
    if card.name in NETWORKS:
        path = folder / f"{card.name}-architecture.svg"
        path.write_text(to_svg(card.title, stages(NETWORKS[card.name]())), encoding="utf-8")
        paths.append(path)
    return paths


def learning_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Draw loss and validation errors by epoch."""
    figure = Figure((9, 3.4), layout="constrained")
    loss, errors = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    loss.plot(epochs, [row["loss"] for row in history], color=NETWORK)
    _label(loss, "Training loss", "epoch", "cross-entropy")
    for name, style in zip([key for key in history[0] if key not in ("epoch", "loss")], "-:", strict=False):
        errors.plot(epochs, [100 * (1 - row[name]) for row in history], style, color=NETWORK, label=name)
    errors.set_yscale("log")
    errors.legend(frameon=False)
    _label(errors, "Validation errors", "epoch", "wrong, %")
    return figure


def confusion_matrices(measured: Mapping[str, Images], logits: Mapping[str, Tensor]) -> Figure:
    """Draw confusion matrices; the diagonal is left out of the shading."""
    figure = Figure((5 * len(measured), 4.8), layout="constrained")
    for axes, (name, images) in zip(_row(figure, len(measured)), measured.items(), strict=True):
        counts = np.zeros((10, 10), int)
        np.add.at(counts, (images.labels.numpy(), logits[name][:, :10].argmax(1).numpy()), 1)
        wrong = counts * (1 - np.eye(10, dtype=int))
        axes.imshow(wrong, cmap="Blues", vmax=max(wrong.max() * 1.6, 1))
        for row, column in np.argwhere(counts):
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=7, color=PENCIL)
        axes.set_xticks(range(10))
        axes.set_yticks(range(10))
        _label(axes, name, "read as", "digit")
    return figure


def reliability_diagrams(
    measured: Mapping[str, Images], logits: Mapping[str, Tensor], calibration: Calibration
) -> Figure:
    """Draw accuracy by confidence."""
    figure = Figure((4.4 * len(measured), 4), layout="constrained")
    for axes, (name, images) in zip(_row(figure, len(measured)), measured.items(), strict=True):
        probabilities = digit_probabilities(logits[name], calibration.temperature)
        confidence = probabilities.max(1) * (1 - not_a_digit(logits[name], calibration.temperature))
        rows = reliability(confidence, probabilities.argmax(1) == images.labels.numpy())
        axes.plot([0, 1], [0, 1], ":", color=PENCIL, label="perfect")
        axes.plot([row[1] for row in rows], [row[2] for row in rows], "o-", color=NETWORK, label="measured")
        axes.legend(frameon=False)
        _label(axes, name, "confidence", "right")
    return figure


def worst_mistakes(
    measured: Mapping[str, Images], logits: Mapping[str, Tensor], calibration: Calibration
) -> Figure:
    """Draw the mistakes with the highest confidence, each with digit and reading."""
    rows = []
    for name, images in measured.items():
        probabilities = digit_probabilities(logits[name], calibration.temperature)
        answers, truth = probabilities.argmax(1), images.labels.numpy()
        confidence = probabilities.max(1) * (1 - not_a_digit(logits[name], calibration.temperature))
        rows += [
            (confidence[i], images.images[int(i)].numpy(), truth[i], answers[i])
            for i in np.flatnonzero(answers != truth)
        ]
    rows = sorted(rows, key=lambda row: -row[0])[:MAX_MISTAKES]
    figure = Figure((9, 1.15 * max(1, -(-len(rows) // 10))), layout="constrained")
    for number, (_, image, truth, read) in enumerate(rows):
        axes = figure.add_subplot(-(-len(rows) // 10), 10, number + 1)
        axes.imshow(image, cmap="gray")
        axes.set_title(f"{truth}, read {read}", fontsize=7, color=PENCIL)
        axes.axis("off")
    return figure


def first_filters(served: nn.Module) -> Figure | None:
    """Draw the kernels of the first convolution, each scaled to its own range."""
    weights = next((value for value in served.parameters() if value.dim() == 4 and value.shape[1] == 1), None)
    if weights is None:
        return None
    columns = min(16, len(weights))
    count = -(-len(weights) // columns)
    figure = Figure((0.55 * columns, 0.6 * count), layout="constrained")
    for number, kernel in enumerate(weights.detach()[:, 0].numpy()):
        axes = figure.add_subplot(count, columns, number + 1)
        strongest = np.abs(kernel).max()
        axes.imshow(kernel, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
        axes.axis("off")
    return figure


def _row(figure: Figure, count: int) -> list[Axes]:
    return list(np.atleast_1d(np.asarray(figure.subplots(1, count))))


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", color=PENCIL)
    axes.set_xlabel(x, color=PENCIL)
    axes.set_ylabel(y, color=PENCIL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_facecolor(PAPER)


def write_metrics(path: Path, card: ModelCard, figures: Mapping[str, Any]) -> None:
    """Write all figures as JSON, with the name and version of the model."""
    path.write_text(json.dumps({"model": card.name, "version": card.version, **figures}, indent=2) + "\n")
