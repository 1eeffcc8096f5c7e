"""Report on an exported model: layers, first filters, confusions, calibration and mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.report import Layer, Mistake, Report
from mnistweb.training.calibration import Calibration, digit_probabilities, not_a_digit, reliability
from mnistweb.training.data import Images
from mnistweb.training.evaluation import TestSets, served_logits
from mnistweb.training.layers import list_layers
from mnistweb.training.networks import NETWORKS

MAX_MISTAKES = 24


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to the images of a test set: digits, confidences 0..1, and whether refused, each [n]."""

    images: Images
    digits: NDArray[np.int64]
    confidence: NDArray[np.float64]
    refused: NDArray[np.bool_]

    @property
    def truth(self) -> NDArray[np.int64]:
        """The true digits [n]."""
        labels: NDArray[np.int64] = self.images.labels.numpy()
        return labels


def write_report(folder: Path, card: ModelCard, served: nn.Module, sets: TestSets) -> Path:
    """Write the report on an exported network to `<model>.json`; return the file's path."""
    measured = {"mnist_test": sets.mnist} | ({"drawings_test": sets.drawings} if sets.drawings else {})
    calibration = Calibration(card.temperature, card.boundaries)
    answers = {name: read_all(served, images, calibration) for name, images in measured.items()}
    report = Report(
        model=card.name,
        version=card.version,
        layers=layers_of(card.name),
        filters=first_filters(served),
        confusions={name: confusion_counts(each) for name, each in answers.items()},
        reliability={
            name: reliability(each.confidence[~each.refused], (each.digits == each.truth)[~each.refused])
            for name, each in answers.items()
        },
        mistakes=worst_mistakes(answers),
    )
    return report.write(folder)


def read_all(served: nn.Module, images: Images, calibration: Calibration) -> Answers:
    """Read the images of a test set with an exported network."""
    logits = served_logits(served, images.images)
    probabilities = digit_probabilities(logits, calibration.temperature)
    none = not_a_digit(logits, calibration.temperature)
    confidence = probabilities.max(1) * (1 - none)
    return Answers(images, probabilities.argmax(1), confidence, none >= calibration.boundaries.not_a_digit)


def layers_of(model: str) -> tuple[Layer, ...]:
    """Return the layers of a network of this site, none of another one."""
    return list_layers(NETWORKS[model]()) if model in NETWORKS else ()


def confusion_counts(answers: Answers) -> list[list[int]]:
    """Count readings [10][10] by true digit and digit read, refused ones included."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (answers.truth, answers.digits), 1)
    return [[int(count) for count in row] for row in counts]


def worst_mistakes(answers: Mapping[str, Answers]) -> tuple[Mistake, ...]:
    """Return the mistakes with the highest confidence among all test sets; refused images are none."""
    found = [
        (each, int(i))
        for each in answers.values()
        for i in np.flatnonzero(each.digits != each.truth)
        if not each.refused[i]
    ]
    found.sort(key=lambda place: -place[0].confidence[place[1]])
    return tuple(_mistake(each, index) for each, index in found[:MAX_MISTAKES])


def _mistake(answers: Answers, index: int) -> Mistake:
    return Mistake(
        digit=int(answers.truth[index]),
        read_as=int(answers.digits[index]),
        confidence=round(float(answers.confidence[index]), 4),
        image=data_url(encode_png(answers.images.images[index].numpy())),
    )


def first_filters(served: nn.Module) -> list[list[list[float]]]:
    """Return the kernels of the first convolution, each scaled to -1..1; none without a convolution."""
    weights = next((value for value in served.parameters() if value.dim() == 4 and value.shape[1] == 1), None)
    if weights is None:
        return []
    kernels = weights.detach()[:, 0].numpy()
    scaled = kernels / np.abs(kernels).max(axis=(1, 2), keepdims=True)
    return [[[round(float(weight), 2) for weight in row] for row in kernel] for kernel in scaled]
