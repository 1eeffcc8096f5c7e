"""Convolutional networks computed by NumPy."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mnistweb.recognition.convolutions import compile_network
from mnistweb.recognition.recognizer import TorchScriptRecognizer, ignore_torchscript_warnings
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.training.export import ServedNetwork

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)


def frozen(network: nn.Module) -> torch.jit.ScriptModule:
    """Return a network as the site folds it."""
    with ignore_torchscript_warnings():
        folded: torch.jit.ScriptModule = torch.jit.freeze(torch.jit.script(ServedNetwork(network).eval()))
    return folded


class Residual(nn.Module):
    """A layer beside an identity."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Add both."""
        total: Tensor = images + self.layer(images)
        return total


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(1, 5, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(5, 3, 3, padding=1)],
        [nn.PixelUnshuffle(2), nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True)],
        [nn.PixelUnshuffle(2), nn.PixelUnshuffle(2), nn.Conv2d(16, 3, 1), nn.MaxPool2d(2)],
    ],
)
def test_gives_the_same_logits(layers: list[nn.Module]) -> None:
    torch.manual_seed(0)
    features = nn.Sequential(*layers)
    size = features(torch.zeros(1, 1, 28, 28)).numel()
    network = frozen(nn.Sequential(features, nn.Flatten(), nn.Linear(size, 11)))
    compute = compile_network(network)
    assert compute
    expected = network(torch.from_numpy(IMAGES)).numpy()
    assert np.allclose(compute(IMAGES), expected, atol=1e-5)
    assert np.allclose(compute(IMAGES[:1]), expected[:1], atol=1e-5)


def test_the_default_network_is_plain() -> None:
    recognizer = TorchScriptRecognizer.load(WEIGHTS / "cnn.json")
    expected = recognizer.network(torch.from_numpy(IMAGES)).detach().numpy()
    with ignore_torchscript_warnings():
        assert compile_network(torch.jit.freeze(recognizer.network))
    assert np.allclose(recognizer.logits(IMAGES), expected, atol=1e-4)


@pytest.mark.parametrize(
    "network",
    [
        Residual(),
        nn.Conv2d(1, 1, 3, stride=2),
        nn.Conv2d(1, 1, 3, dilation=2),
        nn.Conv2d(1, 1, 3, padding=(0, 1)),
        nn.Conv2d(1, 1, 3, bias=False),
        nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 4, 3, groups=2)),
        nn.MaxPool2d(3),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2),
        nn.Flatten(2),
        nn.Linear(28, 11, bias=False),
        nn.Conv2d(1, 1, 3).double(),
        nn.GELU(),
    ],
    ids=str,
)
def test_leaves_other_networks_to_torch(network: nn.Module) -> None:
    assert compile_network(frozen(network)) is None
