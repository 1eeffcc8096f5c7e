"""Making probabilities mean what they say, and choosing when to refuse.

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
from mnistweb.training.pen_strokes import NOT_A_DIGIT

MOST_REFUSED = 0.01
"""The share of real digits that may be refused, of anybody's."""

BOUNDING = ("redrawn", "mnist")
"""The validation sets that the share is bounded on.

The validation writers are few, so their drawings are redrawn as differently as other people might draw;
MNIST stands for hands unlike theirs.
"""
BINS = 15


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns logits into the probabilities and refusals of the site."""

    temperature: float
    threshold: float


def calibrate(logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Calibration:
    """Fit on the validation sets' logits [n, 11] and classes [n], by the name of the set.

    The temperature minimises the negative log likelihood of the digits; the threshold is the lowest at
    which what is refused of each of the sets BOUNDING makes it likely that of all such digits no more than
    MOST_REFUSED are: the upper end of the share's 95 % interval stays below.
    """
    digits = {name: labels[name] != NOT_A_DIGIT for name in logits}
    temperature = fit_temperature(
        torch.cat([logits[name][digits[name]] for name in logits]),
        torch.cat([labels[name][digits[name]] for name in logits]),
    )
    thresholds = [
        _threshold(not_a_digit(logits[name][digits[name]], temperature))
        for name in BOUNDING
        if name in logits
    ]
    return Calibration(temperature, max(thresholds))


def _threshold(scores: NDArray[np.float64]) -> float:
    """The lowest that refuses only as many digits of these scores [n] as may be."""
    count = len(scores)
    refused = takewhile(lambda most: interval(most, count)[1] <= MOST_REFUSED, range(count))
    highest_kept = np.sort(scores)[::-1][max(refused, default=0)]
    return float(np.nextafter(highest_kept, 1))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that minimises the negative log likelihood, to a thousandth."""
    candidates = torch.logspace(-0.6, 0.9, 601).tolist()
    losses = [functional.cross_entropy(logits.double() / t, labels).item() for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def not_a_digit(logits: Tensor, temperature: float) -> NDArray[np.float64]:
    """The calibrated probability [n] that an image is no digit."""
    return (logits.double() / temperature).softmax(1)[:, NOT_A_DIGIT].numpy()


def digit_probabilities(logits: Tensor, temperature: float) -> NDArray[np.float64]:
    """The calibrated probabilities [n, 10] of the digits, given that it is one."""
    return (logits[:, :NOT_A_DIGIT].double() / temperature).softmax(1).numpy()


def expected_calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins, weighted by their counts."""
    error = 0.0
    for _, mean_confidence, accuracy, share in reliability(confidence, right):
        error += share * abs(mean_confidence - accuracy)
    return error


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> list[tuple[float, float, float, float]]:
    """For each bin that holds anything: its lower edge, mean confidence, accuracy, share of all."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            share = float(inside.mean())
            rows.append((number / BINS, float(confidence[inside].mean()), float(right[inside].mean()), share))
    return rows


def auroc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The probability that a positive scores higher than a negative, ties counted half."""
    scores = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    below = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(below / (len(positive) * len(negative)))
