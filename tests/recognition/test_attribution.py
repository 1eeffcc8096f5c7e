from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from mnistweb.recognition.attribution import (
    INTEGRATION_STEPS,
    Explanation,
    explain,
    integrated_gradients,
    to_grey,
)
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.types import DigitImage
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.training.networks import NETWORKS
from tests.support.drawings import digit_png
from tests.support.networks import untrained

MAPS = {
    "cnn": [(32, 14, 14), (48, 14, 14), (96, 7, 7), (128, 7, 7)],
    "lenet5": [(6, 28, 28), (16, 10, 10), (120, 1, 1)],
    "vit": [(24, 14, 14), (64, 7, 7)],
}
FIELDS = {"cnn": [6, 10, 20, 28], "lenet5": [5, 14, 28], "vit": [5, 9]}


@cache
def image(digit: int) -> DigitImage:
    return normalize(read_drawing(digit_png(digit), 10**6))


@cache
def explanation(name: str) -> Explanation:
    return explain(untrained(name), image(3))


@pytest.mark.parametrize("name", MAPS)
def test_each_convolution_gives_feature_maps(name: str) -> None:
    layers = explanation(name).layers
    assert [layer.maps.shape for layer in layers] == MAPS[name]
    assert all(layer.maps.dtype == np.uint8 for layer in layers)
    count, height, width = MAPS[name][0]
    assert layers[0].name == f"Convolution 1: {count} maps of {height}×{width}"
    assert layers[0].signed == (name == "lenet5")
    assert [layer.receptive_field for layer in layers] == FIELDS[name]


def test_feature_maps_are_taken_after_the_activation() -> None:
    recognizer = untrained("cnn")
    maps = torch.tensor(image(3)).float().reshape(1, 1, 28, 28) / 255
    with torch.no_grad():
        for name in ("0", "1"):  # the quarters of the pixels, and the first convolution with its activation
            maps = recognizer.network.network.features._modules[name](maps)
    assert np.array_equal(explanation("cnn").layers[0].maps, to_grey(maps[0])[0])


def test_maps_of_a_layer_share_a_scale() -> None:
    shown, signed = to_grey(torch.tensor([[[0.0, 1.0]], [[2.0, 4.0]]]))
    assert not signed
    assert shown.tolist() == [[[0, 64]], [[128, 255]]]
    shown, signed = to_grey(torch.tensor([[[0.0, -1.0]], [[0.5, 1.0]]]))
    assert signed
    assert shown.tolist() == [[[128, 1]], [[192, 255]]]
    assert to_grey(torch.zeros(1, 2, 2))[0].max() == 0


@pytest.mark.parametrize("name", MAPS)
def test_votes_add_up_to_the_logits(name: str) -> None:
    network = untrained(name).network  # loaded here, since what is loaded in inference mode has no gradients
    with torch.inference_mode():
        logits = network(torch.tensor(image(3)).unsqueeze(0))[0]
    explained = explanation(name)
    digit = explained.answer.digit
    assert explained.winner.label == (10 if digit is None else digit)
    assert explained.winner.label != explained.runner_up.label
    for vote in (explained.winner, explained.runner_up):
        assert vote.score == pytest.approx(float(logits[vote.label]), abs=1e-4)
        assert vote.parts.sum() + vote.bias == pytest.approx(vote.score, abs=1e-4)
    others = [float(logits[label]) for label in range(11) if label != explained.winner.label]
    assert explained.runner_up.score == pytest.approx(max(others), abs=1e-4)
    assert len(explained.winner.parts) == {"cnn": 128, "lenet5": 84, "vit": 64}[name]
    assert explained.last_maps is None


class Direct(nn.Sequential):
    """A network whose last layer weighs the pixels of maps."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(4 * 49, 11))


def test_pixels_of_a_map_vote_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "direct", Direct)
    explained = explain(untrained("direct"), image(3))
    assert len(explained.winner.parts) == 4
    assert explained.last_maps is not None
    assert explained.last_maps.shape == (4, 7, 7)


def test_rejection_is_explained_by_class_10() -> None:
    recognizer = untrained("cnn", not_a_digit_from=0.0)
    explained = explain(recognizer, image(3))
    assert explained.answer.digit is None
    assert explained.winner.label == 10


def test_heat_sums_to_the_difference_from_a_black_image() -> None:
    recognizer = TorchScriptRecognizer.load(WEIGHTS / "cnn.json")
    errors = []
    for digit in range(10):
        explained = explain(recognizer, image(digit))
        assert not explained.heat[image(digit) == 0].any()
        with torch.inference_mode():
            both = torch.stack([torch.tensor(image(digit)), torch.zeros(28, 28, dtype=torch.uint8)])
            with_ink, without = recognizer.network(both)[:, explained.winner.label].tolist()
        errors.append(abs(explained.heat.sum() / (with_ink - without) - 1))
    assert np.mean(errors) < 0.03
    assert max(errors) < 0.1


@pytest.mark.parametrize("name", MAPS)
def test_integrated_gradients_match_captum(name: str) -> None:
    network = untrained(name).network.network
    pixels = torch.tensor(image(3)).float().reshape(1, 1, 28, 28) / 255
    from captum.attr import IntegratedGradients  # takes a second, in each process that collects the tests

    reference = IntegratedGradients(network).attribute(pixels, target=5, n_steps=INTEGRATION_STEPS)
    mine = integrated_gradients(network, pixels, 5)
    np.testing.assert_allclose(mine, reference[0, 0].numpy(), rtol=1e-3, atol=1e-6)


def test_attention_sums_to_one() -> None:
    attention = explanation("vit").attention
    assert attention is not None
    assert attention.heads.shape == (4, 4, 7, 7)
    assert attention.rollout.shape == (7, 7)
    assert attention.rollout.sum() == pytest.approx(1)
    sums = attention.heads.sum(axis=(2, 3))
    assert (sums < 1).all()
    assert (sums > 0).all()
    assert explanation("cnn").attention is None


def test_attention_matches_the_first_block() -> None:
    network = untrained("vit").network.network
    pixels = torch.tensor(image(3)).float().reshape(1, 1, 28, 28) / 255
    with torch.no_grad():
        patches = network.stem(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([network.class_token, patches], 1) + network.position
        first = next(iter(network.blocks.children()))
        weights, _ = first.attention.weights(first.norm1(tokens))
    assert weights.sum(-1) == pytest.approx(torch.ones(1, 4, 50), abs=1e-5)
    attention = explanation("vit").attention
    assert attention is not None
    np.testing.assert_allclose(attention.heads[0], weights[0, :, 0, 1:].reshape(4, 7, 7), atol=1e-6)


def test_explaining_changes_nothing_in_the_network() -> None:
    recognizer = untrained("cnn")
    before = recognizer.recognize(image(3))
    explain(recognizer, image(3))
    assert recognizer.recognize(image(3)) == before
    assert all(parameter.grad is None for parameter in recognizer.network.parameters())
