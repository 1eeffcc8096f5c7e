"""Readings: a network's calibrated answers to labelled images, and the figures of sets of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.training.calibration import (
    Calibration,
    digit_probabilities,
    expected_calibration_error,
    not_a_digit,
)
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT

BATCH = 500
MAX_CONFUSIONS = 6


@dataclass(frozen=True, slots=True)
class Readings:
    """Answers to images, each [n]: the likeliest digit, its probability 0..1, and that of none.

    The boundaries say which answers are sure, and which drawings are refused.
    """

    images: Images
    digits: NDArray[np.int64]
    confidence: NDArray[np.float64]
    not_a_digit: NDArray[np.float64]
    boundaries: Boundaries

    @property
    def truth(self) -> NDArray[np.int64]:
        """The true classes [n], 10 for "not a digit"."""
        labels: NDArray[np.int64] = self.images.labels.numpy()
        return labels

    @property
    def right(self) -> NDArray[np.bool_]:
        """The mask [n] of images whose likeliest digit is the true one."""
        return np.asarray(self.digits == self.truth)

    @property
    def refused(self) -> NDArray[np.bool_]:
        """The mask [n] of images that are answered with "not a digit"."""
        return np.asarray(self.not_a_digit >= self.boundaries.not_a_digit)

    @property
    def sure(self) -> NDArray[np.bool_]:
        """The mask [n] of images that are answered with a sure digit."""
        return np.asarray(~self.refused & (self.confidence >= self.boundaries.sure))

    def select(self, chosen: NDArray[np.bool_]) -> "Readings":
        """Return the chosen readings [n]."""
        return Readings(
            self.images.select(torch.from_numpy(np.flatnonzero(chosen))),
            self.digits[chosen],
            self.confidence[chosen],
            self.not_a_digit[chosen],
            self.boundaries,
        )

    def by_kind(self) -> dict[str, "Readings"]:
        """Return the readings of each kind of image."""
        kinds = np.array(self.images.kinds)
        return {str(kind): self.select(kinds == kind) for kind in dict.fromkeys(self.images.kinds)}


def served_logits(served: nn.Module, images: Tensor) -> Tensor:
    """Compute logits float32 [n, 11] of an exported network for uint8 [n, 28, 28] images."""
    with torch.inference_mode():
        return torch.cat([served(batch) for batch in torch.split(images, BATCH)])


def read(served: nn.Module, images: Images, calibration: Calibration) -> Readings:
    """Read images with an exported network."""
    return readings(served_logits(served, images.images), images, calibration)


def readings(logits: Tensor, images: Images, calibration: Calibration) -> Readings:
    """Calibrate logits [n, 11] and tell the certainties."""
    probabilities = digit_probabilities(logits, calibration.temperature)
    none = not_a_digit(logits, calibration.temperature)
    confidence = probabilities.max(1) * (1 - none)
    return Readings(images, probabilities.argmax(1), confidence, none, calibration.boundaries)


def digit_figures(digits: Readings) -> dict[str, Any]:
    """Compute the shares of digits with each kind of answer.

    The accuracy is that of the likeliest digit, refused ones included. A digit in doubt counts as answered.
    The calibration error is that of the answered digits.
    """
    answered, right = ~digits.refused, digits.right
    return {
        "count": len(digits.truth),
        "accuracy": float(right.mean()),
        "answered_right": float((right & answered).mean()),
        "answered_wrong": float((~right & answered).mean()),
        "refused": float(digits.refused.mean()),
        "doubtful": float((answered & ~digits.sure).mean()),
        "expected_calibration_error": expected_calibration_error(
            digits.confidence[answered], right[answered]
        ),
        "worst_confusions": worst_confusions(digits.truth, digits.digits),
    }


def other_figures(others: Readings) -> dict[str, Any]:
    """Compute shares of non-digits: refused, read as a digit in doubt, read as a sure digit."""
    return {
        "count": len(others.truth),
        "refused": float(others.refused.mean()),
        "doubtful": float((~others.refused & ~others.sure).mean()),
        "sure": float(others.sure.mean()),
    }


def figures_by_kind(mixed: Readings) -> dict[str, Mapping[str, Any]]:
    """Compute the figures of each kind, of digits or of non-digits."""
    return {
        kind: other_figures(each) if (each.truth == NOT_A_DIGIT).all() else digit_figures(each)
        for kind, each in mixed.by_kind().items()
    }


def worst_confusions(truth: NDArray[np.int64], answers: NDArray[np.int64]) -> list[dict[str, int]]:
    """Return the commonest mistakes: digit, reading and count."""
    pairs, counts = np.unique(np.stack([truth, answers])[:, truth != answers], axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_CONFUSIONS]
    return [{"digit": int(pairs[0, i]), "read_as": int(pairs[1, i]), "times": int(counts[i])} for i in order]
