"""The share of drawings that are no digit: in training, and in use.

A network also learns how often each class occurs. Training shows it more non-digits than people draw, so it
would doubt digits without reason. M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a
classifier to new a priori probabilities", 2002.
"""

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mnistweb.training.pen_strokes import NOT_A_DIGIT

IN_USE = 0.1
"""The share of non-digits among what people draw, as it is assumed."""
KEY = "share_of_non_digits"
"""The key of the shares in what a card tells of its training."""


@dataclass(frozen=True, slots=True)
class ShareOfNonDigits:
    """Shares of non-digits, within 0..1, among the images of training and among those in use."""

    training: float
    use: float = IN_USE

    @property
    def shift(self) -> float:
        """The gain of the logit of "not a digit" from training to use."""
        return math.log(self.use / (1 - self.use)) - math.log(self.training / (1 - self.training))


def shift_of(training: Mapping[str, Any]) -> float:
    """Return the shift of an exported network, from what its card tells of its training. 0 for older ones."""
    shares = training.get(KEY)
    return ShareOfNonDigits(**shares).shift if shares else 0.0


def shifted(network: nn.Module, shift: float) -> nn.Module:
    """Return a copy of a network whose logit of "not a digit" is larger by `shift`."""
    network = deepcopy(network)
    *_, last = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
    with torch.no_grad():
        last.bias[NOT_A_DIGIT] += shift
    return network
