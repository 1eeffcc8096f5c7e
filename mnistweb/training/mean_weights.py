"""A mean of a model's weights before and after fine-tuning, which keeps what the model knew.

M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
"""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import nn

from mnistweb.training.data import Images
from mnistweb.training.loop import measure_accuracy

SHARES = (0.5, 0.75, 1.0)
"""Shares of the tuned weights, among which the validation data decides."""


def keep_what_is_known(
    parent: nn.Module, tuned: nn.Module, validation: Mapping[str, Images], device: torch.device
) -> tuple[nn.Module, float]:
    """Return the mean of both networks' weights that errs least on the validation sets, and the tuned share.

    Each set counts as much as any other. Of equal means, the one with more of the parent is returned.
    """
    means = {share: mean_of_weights(parent, tuned, share) for share in SHARES}
    errors = {share: _errors(network.to(device), validation, device) for share, network in means.items()}
    share = min(errors, key=errors.__getitem__)
    return means[share].cpu(), share


def mean_of_weights(parent: nn.Module, tuned: nn.Module, share: float) -> nn.Module:
    """Return a network with weighted means of all weights and statistics, `share` in 0..1 of them tuned."""
    network, theirs = deepcopy(tuned), parent.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - share)
    return network


def _errors(network: nn.Module, validation: Mapping[str, Images], device: torch.device) -> float:
    return sum(1 - measure_accuracy(network, images, device) for images in validation.values())
