"""Report on an exported model: layers, first filters, confusions, calibration and mistakes."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn
from torch.nn import functional

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.report import Layer, Mistake, Report
from mnistweb.training.calibration import Calibration, reliability
from mnistweb.training.layers import list_layers
from mnistweb.training.networks import NETWORKS
from mnistweb.training.readings import Readings, read
from mnistweb.training.test_sets import TestSets

MAX_MISTAKES = 24


def write_report(folder: Path, card: ModelCard, served: nn.Module, sets: TestSets) -> Path:
    """Write the report on an exported network to `<model>.json`; return the file's path."""
    return make_report(card, served, sets).write(folder)


def make_report(card: ModelCard, served: nn.Module, sets: TestSets | None) -> Report:
    """Make the report on an exported network; without test sets it has layers and filters alone."""
    calibration = Calibration(card.temperature, card.boundaries)
    digits = sets.digits if sets else {}
    answers = {name: read(served, images, calibration) for name, images in digits.items()}
    return Report(
        model=card.name,
        version=card.version,
        layers=layers_of(card.name),
        filters=first_filters(served),
        confusions={name: confusion_counts(each) for name, each in answers.items()},
        reliability={
            name: reliability(each.confidence[~each.refused], each.right[~each.refused])
            for name, each in answers.items()
        },
        mistakes=worst_mistakes(answers),
    )


def layers_of(model: str) -> tuple[Layer, ...]:
    """Return the layers of a network of this site, none of another one."""
    return list_layers(NETWORKS[model]()) if model in NETWORKS else ()


def confusion_counts(answers: Readings) -> list[list[int]]:
    """Count readings [10][10] by true digit and digit read, refused ones included."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (answers.truth, answers.digits), 1)
    return [[int(count) for count in row] for row in counts]


def worst_mistakes(answers: Mapping[str, Readings]) -> tuple[Mistake, ...]:
    """Return the mistakes with the highest confidence among all test sets; refused images are none."""
    found = [
        (each, int(i))
        for each in answers.values()
        for i in np.flatnonzero(each.digits != each.truth)
        if not each.refused[i]
    ]
    found.sort(key=lambda place: -place[0].confidence[place[1]])
    return tuple(_mistake(each, index) for each, index in found[:MAX_MISTAKES])


def _mistake(answers: Readings, index: int) -> Mistake:
    return Mistake(
        digit=int(answers.truth[index]),
        read_as=int(answers.digits[index]),
        confidence=round(float(answers.confidence[index]), 4),
        image=data_url(encode_png(answers.images.images[index].numpy())),
    )


def first_filters(served: nn.Module) -> list[list[list[float]]]:
    """Return the kernels of the first convolution, each scaled to -1..1; none without a convolution.

    A kernel for a reordered image is put back in the order of the pixels.
    """
    weights = next((value.detach() for value in served.parameters() if value.dim() == 4), None)
    if weights is None:
        return []
    kernels = functional.pixel_shuffle(weights, math.isqrt(weights.shape[1]))[:, 0].numpy()
    scaled = kernels / np.abs(kernels).max(axis=(1, 2), keepdims=True)
    return [[[round(float(weight), 2) for weight in row] for row in kernel] for kernel in scaled]
