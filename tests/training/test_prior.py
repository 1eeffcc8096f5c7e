"""The share of non-digits, in training and in use."""

import math

import pytest
import torch

from mnistweb.training.costs import Costs
from mnistweb.training.networks import NETWORKS
from mnistweb.training.prior import IN_USE, ShareOfNonDigits, shift_of, shifted


def test_a_class_that_is_rarer_in_use_loses_odds() -> None:
    # Odds of 1 to 4 in training, and of 1 to 9 in use.
    assert ShareOfNonDigits(0.2, 0.1).shift == pytest.approx(math.log(4 / 9))
    assert ShareOfNonDigits(0.1, 0.1).shift == 0
    assert ShareOfNonDigits(0.05, 0.1).shift > 0


def test_probabilities_and_costs_assume_the_same_share() -> None:
    assert Costs().share_of_digits == pytest.approx(1 - IN_USE)


def test_shift_comes_from_the_card_and_older_cards_have_none() -> None:
    assert shift_of({"share_of_non_digits": {"training": 0.2, "use": 0.1}}) == pytest.approx(math.log(4 / 9))
    assert shift_of({"epochs": 3}) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_only_the_logit_of_not_a_digit_moves(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    images = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        before, after = network(images), shifted(network, -0.8)(images)
        assert torch.equal(before, network(images))
    assert (after - before)[:, 10].tolist() == pytest.approx([-0.8] * 5, abs=1e-5)
    assert torch.equal(before[:, :10], after[:, :10])
