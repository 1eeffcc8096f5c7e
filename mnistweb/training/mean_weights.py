"""A mean of a model's weights before and after fine-tuning, which keeps what the model knew.

M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
"""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn

from mnistweb.recognition.comparison import MARGIN
from mnistweb.training.data import Images
from mnistweb.training.loop import measure_accuracy

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Shares of the tuned weights, of which the largest is taken that loses little."""


def keep_what_is_known(
    parent: nn.Module, tuned: nn.Module, validation: Mapping[str, Images], device: torch.device
) -> tuple[nn.Module, float]:
    """Return a mean of both networks' weights, and the share of the tuned ones in it.

    It has the largest share with which no validation set is read worse than by the parent, by more than a
    promotion allows. Without such a share it has the least one, and without a validation set a half.
    """
    if not validation:
        return mean_of_weights(parent, tuned, 0.5), 0.5
    allowed = {
        name: measure_accuracy(parent.to(device).eval(), images, device) - MARGIN
        for name, images in validation.items()
    }
    for share in SHARES:
        network = mean_of_weights(parent, tuned, share).to(device)
        if all(
            measure_accuracy(network, validation[name], device) >= least for name, least in allowed.items()
        ):
            break
    return network.cpu(), share


def mean_of_weights(parent: nn.Module, tuned: nn.Module, share: float) -> nn.Module:
    """Return a network with weighted means of all weights and statistics, `share` in 0..1 of them tuned."""
    network, theirs = deepcopy(tuned), parent.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name].to(value.device), 1 - share)
    return network
