"""A mean of a model's weights before and after fine-tuning."""

import torch
from torch import nn

from mnistweb.training.data import Images
from mnistweb.training.mean_weights import keep_what_is_known, mean_of_weights

CPU = torch.device("cpu")


class Constant(nn.Module):
    """Network that answers with its logits, whatever it is shown."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([*logits, *[0.0] * (11 - len(logits))]))
        self.register_buffer("batches", torch.tensor(7))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(images), -1)


def labelled(*labels: int) -> Images:
    images = torch.zeros(len(labels), 28, 28, dtype=torch.uint8)
    return Images(images, torch.tensor(labels), ("a digit",) * len(labels))


def test_weights_lie_between_and_counters_stay() -> None:
    mean = mean_of_weights(Constant(0.0, 8.0), Constant(4.0, 0.0), 0.75)
    assert mean.state_dict()["logits"][:2].tolist() == [3.0, 2.0]
    assert mean.state_dict()["batches"] == 7


def test_share_is_the_largest_that_loses_little() -> None:
    # Class 0 wins where more than 5/8 of the weights are tuned.
    parent, tuned = Constant(0.0, 5.0), Constant(3.0, 0.0)
    assert share_of(parent, tuned, {"new": labelled(0)}) == 1.0
    assert share_of(parent, tuned, {"new": labelled(0), "old": labelled(1)}) == 0.5
    assert share_of(parent, tuned, {"old": labelled(1, *[0] * 100)}) == 1.0
    assert share_of(parent, tuned, {}) == 0.5


def test_least_share_is_left_if_all_lose() -> None:
    assert share_of(Constant(0.0, 0.1), Constant(5.0, 0.0), {"old": labelled(1)}) == 0.25


def share_of(parent: nn.Module, tuned: nn.Module, validation: dict[str, Images]) -> float:
    network, share = keep_what_is_known(parent, tuned, validation, CPU)
    mean = mean_of_weights(parent, tuned, share)
    assert torch.equal(network.state_dict()["logits"], mean.state_dict()["logits"])
    return share
