"""Calibrate probabilities, and choose the boundaries of the answers.

Temperature scaling and the expected calibration error: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On
calibration of modern neural networks", 2017.
"""

from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mnistweb.proportion import interval
from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.report import CONFIDENCE_BINS, Bin
from mnistweb.training.pen_strokes import NOT_A_DIGIT

SURE = 0.8
"""The confidence from which a digit is sure."""

MAX_REJECTED_SHARE = 0.01
"""Upper limit of the share of real digits that are rejected, for any writer."""

BOUNDING_SETS = ("redrawn", "mnist")
"""Validation sets that must keep to MAX_REJECTED_SHARE.

There are few validation writers, so their drawings are redrawn in the way that other writers might draw.
MNIST adds writers unlike them.
"""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperature and boundaries of a network."""

    temperature: float
    boundaries: Boundaries


def calibrate(logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Calibration:
    """Fit to the validation sets' logits [n, 11] and classes [n], by the name of the set.

    The temperature minimises the negative log likelihood of the digits. The boundary of "not a digit" is the
    lowest that keeps the share of rejected digits under MAX_REJECTED_SHARE in each of BOUNDING_SETS. It
    compares the upper end of the share's 95 % interval with that limit.
    """
    digits = {name: labels[name] != NOT_A_DIGIT for name in logits}
    temperature = fit_temperature(
        torch.cat([logits[name][digits[name]] for name in logits]),
        torch.cat([labels[name][digits[name]] for name in logits]),
    )
    thresholds = [
        _rejection_threshold(not_a_digit(logits[name][digits[name]], temperature))
        for name in BOUNDING_SETS
        if name in logits
    ]
    return Calibration(temperature, Boundaries(sure=SURE, not_a_digit=max(thresholds)))


def _rejection_threshold(scores: NDArray[np.float64]) -> float:
    """Return the lowest threshold that rejects few enough of digits with these scores [n]."""
    count = len(scores)
    refused = takewhile(lambda most: interval(most, count)[1] <= MAX_REJECTED_SHARE, range(count))
    highest_kept = np.sort(scores)[::-1][max(refused, default=0)]
    return float(np.nextafter(highest_kept, 1))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the negative log likelihood, to a thousandth."""
    candidates = torch.logspace(-0.6, 0.9, 601).tolist()
    losses = [functional.cross_entropy(logits.double() / t, labels).item() for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def not_a_digit(logits: Tensor, temperature: float) -> NDArray[np.float64]:
    """Return the calibrated probabilities [n] of "not a digit"."""
    return (logits.double() / temperature).softmax(1)[:, NOT_A_DIGIT].numpy()


def digit_probabilities(logits: Tensor, temperature: float) -> NDArray[np.float64]:
    """Return the calibrated probabilities [n, 10] of the digits, given that the image is a digit."""
    return (logits[:, :NOT_A_DIGIT].double() / temperature).softmax(1).numpy()


def expected_calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean gap between confidence and accuracy over 15 equal bins, weighted by their counts."""
    bins = reliability(confidence, right)
    return sum(each.count / len(right) * abs(each.confidence - each.right / each.count) for each in bins)


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Count the answers in 15 equal bins of confidence; bins without answers are left out."""
    numbers = np.minimum((confidence * CONFIDENCE_BINS).astype(int), CONFIDENCE_BINS - 1)
    return tuple(
        Bin(float(confidence[numbers == number].mean()), int(count), int(right[numbers == number].sum()))
        for number, count in enumerate(np.bincount(numbers, minlength=CONFIDENCE_BINS))
        if count
    )


def auroc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Return the probability that a positive scores higher than a negative; ties count half."""
    scores = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    below = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(below / (len(positive) * len(negative)))
