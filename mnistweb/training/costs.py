"""Choose the boundaries of the three answers by what mistakes cost.

Every answer has a cost that depends on what was drawn. The boundaries are those with the least expected cost
on the validation sets: C. Chow, "On optimum recognition error and reject tradeoff", 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.training.calibration import Calibration, fit_temperature
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT
from mnistweb.training.prior import IN_USE
from mnistweb.training.readings import Readings, readings

SURE_BOUNDARIES = tuple(float(each) for each in np.round(np.arange(0.5, 0.99, 0.02), 2))
NOT_A_DIGIT_BOUNDARIES = tuple(float(each) for each in np.round(np.arange(0.04, 0.99, 0.02), 2))
CURVE_STEP = 3
"""Every so many boundaries there is a point of the curve."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of the answers; a sure and right one, and a rightly refused drawing, cost nothing.

    `share_of_digits` is how often people draw a digit.
    """

    doubtful_right: float = 1.0
    doubtful_wrong: float = 6.0
    sure_wrong: float = 20.0
    digit_refused: float = 6.0
    other_doubtful: float = 2.0
    other_sure: float = 16.0
    share_of_digits: float = 1 - IN_USE


@dataclass(frozen=True, slots=True)
class Choice:
    """The boundaries of least cost, and points of the curve for other boundaries of "not a digit"."""

    boundaries: Boundaries
    curve: tuple[dict[str, float], ...]


def calibrate(logits: Mapping[str, Tensor], sets: Mapping[str, Images]) -> tuple[Calibration, Choice]:
    """Fit temperature and boundaries to the validation sets and their logits [n, 11], by name.

    The temperature minimises the negative log likelihood of the digits.
    """
    digits = {name: images.labels != NOT_A_DIGIT for name, images in sets.items()}
    temperature = fit_temperature(
        torch.cat([logits[name][digits[name]] for name in sets]),
        torch.cat([images.labels[digits[name]] for name, images in sets.items()]),
    )
    unsorted = Calibration(temperature, Boundaries(sure=1, not_a_digit=1))
    choice = choose_boundaries([readings(logits[name], images, unsorted) for name, images in sets.items()])
    return Calibration(temperature, choice.boundaries), choice


def choose_boundaries(sets: Sequence[Readings], costs: Costs = Costs()) -> Choice:
    """Choose the boundaries with the least expected cost on validation sets, each of which counts alike."""
    digits = [part for each in sets if (part := each.select(each.truth != NOT_A_DIGIT)).truth.size]
    others = [part for each in sets if (part := each.select(each.truth == NOT_A_DIGIT)).truth.size]

    def cost(boundaries: Boundaries) -> float:
        return expected_cost(shares(digits, others, boundaries), costs)

    best = min(
        (Boundaries(sure, none) for none in NOT_A_DIGIT_BOUNDARIES for sure in SURE_BOUNDARIES), key=cost
    )
    curve = [Boundaries(best.sure, none) for none in NOT_A_DIGIT_BOUNDARIES[::CURVE_STEP]]
    return Choice(best, tuple(_point(shares(digits, others, each), each, costs) for each in curve))


def shares(
    digits: Sequence[Readings], others: Sequence[Readings], boundaries: Boundaries
) -> dict[str, float]:
    """Return the shares of the digits and of the others with each kind of answer, as means over the sets."""
    counted: dict[str, list[float]] = {}
    for each in digits:
        answers = replace(each, boundaries=boundaries)
        refused, right = answers.refused, answers.right
        doubtful = ~refused & ~answers.sure
        for name, chosen in (
            ("right", ~refused & right),
            ("wrong", ~refused & ~right),
            ("refused", refused),
            ("doubtful", doubtful),
            ("doubtful_right", doubtful & right),
        ):
            counted.setdefault(name, []).append(float(chosen.mean()))
    for each in others:
        answers = replace(each, boundaries=boundaries)
        counted.setdefault("non_digits_refused", []).append(float(answers.refused.mean()))
        counted.setdefault("non_digits_sure", []).append(float(answers.sure.mean()))
    return {name: float(np.mean(values)) for name, values in counted.items()}


def expected_cost(found: dict[str, float], costs: Costs) -> float:
    """Return the expected cost of an answer, by the shares of `shares`."""
    doubtful_wrong = found["doubtful"] - found["doubtful_right"]
    of_a_digit = (
        costs.doubtful_right * found["doubtful_right"]
        + costs.doubtful_wrong * doubtful_wrong
        + costs.sure_wrong * (found["wrong"] - doubtful_wrong)
        + costs.digit_refused * found["refused"]
    )
    sure, refused = found.get("non_digits_sure", 0), found.get("non_digits_refused", 1)
    of_another = costs.other_sure * sure + costs.other_doubtful * (1 - sure - refused)
    return costs.share_of_digits * of_a_digit + (1 - costs.share_of_digits) * of_another


def as_figures(choice: Choice, costs: Costs = Costs()) -> dict[str, object]:
    """Return costs and curve for a model card."""
    return {"costs": asdict(costs), "curve": list(choice.curve)}


def _point(found: dict[str, float], boundaries: Boundaries, costs: Costs) -> dict[str, float]:
    names = ("right", "doubtful", "refused", "wrong", "non_digits_sure", "non_digits_refused")
    point = {name: round(found[name], 5) for name in names if name in found}
    return {"not_a_digit": boundaries.not_a_digit, **point, "cost": round(expected_cost(found, costs), 5)}
