"""Boundaries of the three answers, chosen by what mistakes cost."""

import dataclasses

import numpy as np
import pytest
import torch

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.training.calibration import Calibration
from mnistweb.training.costs import Costs, calibrate, choose_boundaries, expected_cost, shares
from mnistweb.training.data import Images
from mnistweb.training.readings import Readings, digit_figures, figures_by_kind, other_figures, readings

OPEN = Boundaries(sure=1, not_a_digit=1)


def read_as(truth: list[int], digits: list[int], confidence: list[float], none: list[float]) -> Readings:
    """Return readings of images of these classes."""
    images = Images(
        torch.zeros((len(truth), 28, 28), dtype=torch.uint8), torch.tensor(truth), ("drawn",) * len(truth)
    )
    return Readings(images, np.array(digits), np.array(confidence), np.array(none), OPEN)


DIGITS = read_as([3, 3, 3, 3], [3, 3, 5, 3], [0.95, 0.6, 0.3, 0.05], [0.0, 0.3, 0.2, 0.9])
OTHERS = read_as([10, 10], [0, 1], [0.2, 0.85], [0.8, 0.1])


def test_shares_of_each_answer() -> None:
    found = shares([DIGITS], [OTHERS], Boundaries(sure=0.8, not_a_digit=0.7))
    assert found == {
        "right": 0.5,
        "wrong": 0.25,
        "refused": 0.25,
        "doubtful": 0.5,
        "doubtful_right": 0.25,
        "non_digits_refused": 0.5,
        "non_digits_sure": 0.5,
    }
    costs = Costs()
    of_a_digit = (costs.doubtful_right + costs.doubtful_wrong + costs.digit_refused) / 4
    of_another = costs.other_sure / 2
    expected = costs.share_of_digits * of_a_digit + (1 - costs.share_of_digits) * of_another
    assert expected_cost(found, costs) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("costs", "smaller", "larger"),
    [
        # What costs more is done less.
        ("digit_refused", "refused", 0),
        ("sure_wrong", "sure_wrong", 0),
        ("other_sure", "non_digits_sure", 0),
    ],
)
def test_what_costs_more_happens_less(costs: str, smaller: str, larger: int) -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 400)
    right = rng.random(400) < confidence
    digits = read_as(
        [3] * 400, np.where(right, 3, 5).tolist(), confidence.tolist(), (1 - confidence).tolist()
    )
    none = rng.uniform(0, 1, 100)
    others = read_as([10] * 100, [0] * 100, (1 - none).tolist(), none.tolist())

    def happens(factor: float) -> float:
        changed = dataclasses.replace(Costs(), **{costs: factor * getattr(Costs(), costs)})
        found = shares([digits], [others], choose_boundaries([digits, others], changed).boundaries)
        found["sure_wrong"] = found["wrong"] - (found["doubtful"] - found["doubtful_right"])
        return found[smaller]

    assert happens(10) < happens(0.1) + larger


def test_curve_trades_refused_digits_for_refused_others() -> None:
    curve = choose_boundaries([DIGITS, OTHERS]).curve
    assert len(curve) > 10
    for name in ("refused", "non_digits_refused"):
        assert [point[name] for point in curve] == sorted((point[name] for point in curve), reverse=True)


def test_calibration_without_non_digits() -> None:
    logits = torch.eye(11)[torch.arange(100) % 10] * 4
    images = Images(torch.zeros((100, 28, 28), dtype=torch.uint8), torch.arange(100) % 10, ("mnist",) * 100)
    calibration, choice = calibrate({"mnist": logits}, {"mnist": images})
    read = readings(logits, images, calibration)
    assert digit_figures(read)["answered_right"] == 1
    assert choice.curve[0]["right"] == 1


def test_figures_of_digits_and_others() -> None:
    at = Boundaries(sure=0.8, not_a_digit=0.7)
    digits, others = (dataclasses.replace(each, boundaries=at) for each in (DIGITS, OTHERS))
    figures = digit_figures(digits)
    assert {name: figures[name] for name in ("accuracy", "answered_right", "answered_wrong")} == {
        "accuracy": 0.75,
        "answered_right": 0.5,
        "answered_wrong": 0.25,
    }
    assert (figures["refused"], figures["doubtful"]) == (0.25, 0.5)
    assert figures["worst_confusions"] == [{"digit": 3, "read_as": 5, "times": 1}]
    assert other_figures(others) == {"count": 2, "refused": 0.5, "doubtful": 0.0, "sure": 0.5}
    assert figures_by_kind(others) == {"drawn": other_figures(others)}


def test_readings_follow_the_boundaries_of_the_calibration() -> None:
    logits = torch.zeros((2, 11))
    logits[0, 4], logits[1, 10] = 20, 20
    images = Images(torch.zeros((2, 28, 28), dtype=torch.uint8), torch.tensor([4, 10]), ("a", "b"))
    read = readings(logits, images, Calibration(1, Boundaries(0.8, 0.5)))
    assert read.sure.tolist() == [True, False]
    assert read.refused.tolist() == [False, True]
    assert set(read.by_kind()) == {"a", "b"}
