"""Temperature, boundaries, calibration error and AUROC, compared with known values."""

import numpy as np
import pytest
import torch

from mnistweb.proportion import interval
from mnistweb.training.calibration import (
    MAX_REJECTED_SHARE,
    auroc,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    not_a_digit,
    reliability,
)


def synthetic_logits(temperature: float, count: int = 5_000) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits, and classes drawn from their probabilities at a temperature."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn((count, 11), generator=generator) * 3
    return logits, torch.multinomial((logits / temperature).softmax(1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*synthetic_logits(temperature)) == pytest.approx(temperature, rel=0.05)


def test_threshold_bounds_the_rejected_share_of_all_digits() -> None:
    logits, labels = synthetic_logits(1.0)
    calibration = calibrate({"mnist": logits}, {"mnist": labels})
    digits = labels != 10
    refused = not_a_digit(logits[digits], calibration.temperature) >= calibration.boundaries.not_a_digit
    assert interval(int(refused.sum()), refused.size)[1] <= MAX_REJECTED_SHARE
    assert interval(int(refused.sum()) + 1, refused.size)[1] > MAX_REJECTED_SHARE


def test_too_few_digits_reject_none() -> None:
    logits, labels = synthetic_logits(1.0, 100)
    calibration = calibrate({"mnist": logits}, {"mnist": labels})
    scores = not_a_digit(logits[labels != 10], calibration.temperature)
    assert scores.max() < calibration.boundaries.not_a_digit


def test_calibration_error_of_calibrated_and_overconfident_answers() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 50_000)
    honest = rng.random(50_000) < confidence
    assert expected_calibration_error(confidence, honest) < 0.01
    assert expected_calibration_error(np.full(1_000, 0.9), np.arange(1_000) % 2 == 0) == pytest.approx(0.4)


def test_bins_count_answers_of_similar_confidence() -> None:
    confidence = np.array([0.0, 0.05, 0.97, 0.99, 1.0])
    low, high = reliability(confidence, np.array([True, False, True, True, False]))
    assert [(each.count, each.right) for each in (low, high)] == [(2, 1), (3, 2)]
    assert [low.confidence, high.confidence] == pytest.approx([0.025, 2.96 / 3])
    assert [low.centre, high.centre] == pytest.approx([0.5 / 15, 14.5 / 15])


def test_auroc_is_the_share_of_ordered_pairs() -> None:
    positive, negative = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert auroc(positive, negative) == pytest.approx(np.mean(pairs))
