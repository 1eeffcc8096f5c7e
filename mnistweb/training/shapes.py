"""Look-alikes: decide by shape whether a letter, a sign or an invented figure may be taken for a digit.

An "o" may be drawn exactly like a zero. A network that learnt to refuse it would refuse zeros. Another "o",
with a tail, is no digit. So a network that has seen no such letters decides for each image.
"""

import dataclasses

import torch
from torch import Tensor, nn

from mnistweb.training.data import Images, concatenate
from mnistweb.training.data_mix import TrainingData
from mnistweb.training.loop import compute_logits
from mnistweb.training.pen_strokes import NOT_A_DIGIT

LOOKS_LIKE_A_DIGIT, CLEARLY_NONE = 0.1, 0.9
"""Probabilities of "not a digit": below the first an image is left out, from the second a letter is added."""


def decide_by_shape(data: TrainingData, network: nn.Module) -> TrainingData:
    """Leave out non-digits that look like a digit, and add letters that clearly do not."""
    clear = _not_a_digit(data.not_digits, network) >= LOOKS_LIKE_A_DIGIT
    none = _not_a_digit(data.look_alikes, network) >= CLEARLY_NONE
    kept = data.not_digits.select(clear.nonzero()[:, 0])
    added = data.look_alikes.select(none.nonzero()[:, 0])
    return dataclasses.replace(data, not_digits=concatenate([kept, added]))


def _not_a_digit(images: Images, network: nn.Module) -> Tensor:
    """Return the network's probability [n] that an image is no digit."""
    return compute_logits(network, images.images, torch.device("cpu")).softmax(1)[:, NOT_A_DIGIT]
