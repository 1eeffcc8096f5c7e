"""Making probabilities mean what they say, and choosing when to refuse.

Temperature scaling and the expected calibration error: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On
calibration of modern neural networks", 2017.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mnistweb.training.strokes import NOT_A_DIGIT

MOST_REFUSED = {"redrawn": 0.008, "mnist": 0.008}
"""The share of the digits of a validation set that may be refused; the promise is 1 % of unseen writers'.

The validation writers are few, so their drawings are redrawn as differently as other people might draw, and
a fifth of what was promised is kept in reserve; MNIST stands for hands unlike theirs.
"""
BINS = 15


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns logits into the probabilities and refusals of the site."""

    temperature: float
    threshold: float


def calibrate(logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Calibration:
    """Fit on the validation sets' logits [n, 11] and classes [n], by the name of the set.

    The temperature minimises the negative log likelihood of the digits; the threshold is the lowest that
    refuses no more than MOST_REFUSED of the digits of each set that is named there.
    """
    digits = {name: labels[name] != NOT_A_DIGIT for name in logits}
    temperature = fit_temperature(
        torch.cat([logits[name][digits[name]] for name in logits]),
        torch.cat([labels[name][digits[name]] for name in logits]),
    )
    thresholds = [
        float(np.quantile(not_a_digit(logits[name][digits[name]], temperature), 1 - most, method="higher"))
        for name, most in MOST_REFUSED.items()
        if name in logits
    ]
    return Calibration(temperature, float(np.nextafter(max(thresholds), 1)))


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
