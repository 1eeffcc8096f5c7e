"""Networks, their TorchScript files, and augmentation."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from mnistweb.training.augmentation import Distortion, distort
from mnistweb.training.export import ServedNetwork, to_torchscript
from mnistweb.training.networks import NETWORKS, Attention
from tests.support.scripts import load_script


@pytest.mark.parametrize("name", NETWORKS)
def test_torchscript_file_gives_the_networks_logits(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    images = torch.randint(0, 256, (7, 28, 28), dtype=torch.uint8)
    script = load_script(to_torchscript(network))
    with torch.inference_mode():
        logits = script(images)
        assert logits.shape == (7, 11)
        assert logits.dtype == torch.float32
        assert torch.allclose(logits, network(images.unsqueeze(1) / 255), atol=1e-5)
        assert torch.allclose(logits[2:3], script(images[2:3]), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_torchscript_file_is_small(name: str) -> None:
    assert len(to_torchscript(NETWORKS[name]())) < 8_000_000


def test_exported_file_names_no_folder_of_the_machine() -> None:
    script = to_torchscript(NETWORKS["lenet5"]())
    with ZipFile(io.BytesIO(script)) as file:
        content = b"".join(file.read(name) for name in file.namelist())
    assert str(Path(torch.__file__).parent).encode() not in content


def test_lenet5_has_the_number_of_parameters_of_the_paper() -> None:
    # 156 + 2416 + 48120 + 10164 as in the paper, except that C3 sees all maps; then an output of 84 x 11 +
    # 11.
    assert sum(parameter.numel() for parameter in NETWORKS["lenet5"]().parameters()) == 61_791


def test_attention_sums_to_one() -> None:
    weights, _ = Attention(width=64, heads=4).weights(torch.randn(2, 50, 64))
    assert weights.shape == (2, 4, 50, 50)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 50), atol=1e-5)


def test_served_network_scales_bytes() -> None:
    served = ServedNetwork(torch.nn.Identity())
    assert served(torch.full((1, 28, 28), 255, dtype=torch.uint8)).max() == 1


def images() -> torch.Tensor:
    """Return 64 images of a bar in the middle."""
    picture = torch.zeros(64, 1, 28, 28)
    picture[:, :, 6:22, 12:15] = 1
    return picture


def test_distortion_keeps_shape_and_range_and_follows_the_seed() -> None:
    first, again = (distort(images(), Distortion(), torch.Generator().manual_seed(4)) for _ in range(2))
    other = distort(images(), Distortion(), torch.Generator().manual_seed(5))
    assert first.shape == images().shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_zero_distortion_changes_nothing() -> None:
    still = Distortion(rotation=0, slant=0, stretch=0, shift=0, elastic=0, ink=0)
    assert torch.allclose(distort(images(), still, torch.Generator()), images(), atol=1e-4)


def test_shift_stays_within_its_limit() -> None:
    only_shift = Distortion(rotation=0, slant=0, stretch=0, shift=1.5, elastic=0, ink=0)
    moved = distort(images(), only_shift, torch.Generator().manual_seed(1))[:, 0]
    centres = (moved.sum(1) @ torch.arange(28.0)) / moved.sum((1, 2))
    assert np.abs(centres.numpy() - 13).max() <= 1.5 + 1e-3
