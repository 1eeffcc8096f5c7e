"""What goes on inside a network while it reads one image: for people who want to see why it answered so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnistweb.recognition.postprocessing import DIGITS
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.types import SIDE, Answer, DigitImage

STEPS = 32
"""Points of the path that the heat map integrates over: with them the sum of `cnn`'s is within 3 percent."""
BRIGHTEST = 99.5
"""Percentile of a layer's values that is shown as white, so that one outlier does not darken the rest."""
# Layers that belong to the convolution before them: what it found is looked at after these.
COMPLETING = frozenset({"BatchNorm2d", "ReLU", "ScaledTanh"})


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution's feature maps after its activation: `maps` uint8 [count, height, width].

    All maps of a layer share one scale, so that they can be compared: 0 is black and the strongest is
    white; where values may be negative (`signed`) 0 is the grey 128, and what is below it darker.
    """

    name: str
    maps: NDArray[np.uint8]
    signed: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """What one class gets from the last layer: the sum of `parts` and `bias` is its `score`, the logit.

    `parts` float32 [count]: weight times input, summed over the pixels of each of the last maps.
    """

    label: int
    score: float
    bias: float
    parts: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Attention:
    """How much a Vision Transformer's class token looks at each patch of the image.

    `heads` float32 [layers, heads, rows, columns]: each would sum to 1 with the share that the class token
    keeps for itself, which is left out here. `rollout` float32 [rows, columns], which sums to 1, is what
    arrives through all layers: S. Abnar and W. Zuidema, "Quantifying attention flow in transformers", 2020.
    """

    heads: NDArray[np.float32]
    rollout: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Inside:
    """Everything there is to see of one reading.

    `winner` is the vote for what is answered (label 10: no digit), `runner_up` for the next likely.
    `last_maps` are the maps that they weigh, as in Layer, or None where those are single numbers. `heat`
    float32 [28, 28] is how much each pixel's ink raised (or, negative, lowered) the winner's score.
    """

    answer: Answer
    layers: tuple[Layer, ...]
    winner: Vote
    runner_up: Vote
    last_maps: NDArray[np.uint8] | None
    heat: NDArray[np.float32]
    attention: Attention | None


def look_inside(recognizer: TorchScriptRecognizer, image: DigitImage) -> Inside:
    """Look into a network that reads `image`, uint8 [28, 28] with 255 for ink."""
    answer = recognizer.recognize(image)
    network: Any = recognizer.network.network  # without the scaling of bytes that the file puts before it
    pixels = torch.tensor(image).float().reshape(1, 1, SIDE, SIDE) / 255
    with torch.no_grad():
        logits: Tensor = network(pixels)[0]
        layers, features = _convolve(network, pixels)
        attention, inputs = _attend(network, features) if hasattr(network, "blocks") else (None, features)
        last, inputs = _last_layer(network.classifier, inputs)
        winner = DIGITS if answer.digit is None else answer.digit
        runner_up = next(int(label) for label in logits.argsort(descending=True) if label != winner)
        # Where the last layer weighs the pixels of maps, a map's pixels vote together.
        weighs_maps = inputs.numel() == features.numel()
        votes = [
            _vote(last, inputs, label, features.shape[1] if weighs_maps else len(inputs))
            for label in (winner, runner_up)
        ]
    return Inside(
        answer=answer,
        layers=tuple(layers),
        winner=votes[0],
        runner_up=votes[1],
        last_maps=visible(features[0])[0] if weighs_maps else None,
        heat=integrated_gradients(network, pixels, winner),
        attention=attention,
    )


def integrated_gradients(network: Any, pixels: Tensor, label: int, steps: int = STEPS) -> NDArray[np.float32]:
    """How much each pixel adds to the logit of `label`, against a black image: float32 [28, 28].

    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", 2017, equation 1, the
    integral by Gauss-Legendre quadrature. Takes float32 [1, 1, 28, 28] in 0..1. The sum over all pixels is,
    but for the error of the quadrature, the image's logit less that of the black one; black pixels get 0.
    """
    nodes, weights = (torch.from_numpy(part).float() for part in np.polynomial.legendre.leggauss(steps))
    path = ((nodes + 1) / 2).reshape(-1, 1, 1, 1) * pixels
    path.requires_grad_()
    (gradients,) = torch.autograd.grad(network(path)[:, label] @ weights / 2, path)
    return (gradients.sum(0, keepdim=True) * pixels)[0, 0].numpy()


def visible(maps: Tensor) -> tuple[NDArray[np.uint8], bool]:
    """Feature maps [n, h, w] as grey pictures on one scale, and whether they are signed: see Layer."""
    values = maps.numpy()
    signed = bool(values.min() < 0)
    strengths = np.abs(values[values != 0])
    brightest = float(np.percentile(strengths, BRIGHTEST)) if strengths.size else 1.0
    shown = values / brightest * (127 if signed else 255) + (128 if signed else 0)
    return np.rint(shown.clip(0, 255)).astype(np.uint8), signed


def _leaves(module: Any) -> Iterator[Any]:
    for child in module.children():
        if next(child.children(), None) is None:
            yield child
        else:
            yield from _leaves(child)


def _convolve(network: Any, x: Tensor) -> tuple[list[Layer], Tensor]:
    """The maps of every convolution, and what the last of these layers gives [1, channels, h, w]."""
    stages = network.features if hasattr(network, "features") else network.stem
    found: list[Tensor] = []
    for leaf in _leaves(stages):
        x = leaf(x)
        if leaf.original_name == "Conv2d":
            found.append(x)
        elif leaf.original_name in COMPLETING:
            found[-1] = x
    return [_layer(number, maps[0]) for number, maps in enumerate(found, 1)], x


def _layer(number: int, maps: Tensor) -> Layer:
    count, height, width = maps.shape
    return Layer(f"Convolution {number}: {count} maps of {height}×{width}", *visible(maps))


def _attend(network: Any, features: Tensor) -> tuple[Attention, Tensor]:
    """The attention of a Vision Transformer, and its class token [1, width] as its last layer gets it."""
    rows, columns = features.shape[2:]
    patches = features.flatten(2).transpose(1, 2)
    tokens = torch.cat([network.class_token, patches], dim=1) + network.position
    looks, flow = [], torch.eye(tokens.shape[1])
    for block in network.blocks.children():
        weights, _ = block.attention.weights(block.norm1(tokens))  # [1, heads, tokens, tokens]
        looks.append(weights[0, :, 0, 1:])
        # Half of what a token becomes is what it was: the residual connection.
        flow = (weights[0].mean(0) + torch.eye(tokens.shape[1])) / 2 @ flow
        tokens = block(tokens)
    rollout = flow[0, 1:] / flow[0, 1:].sum()
    heads = torch.stack(looks).reshape(len(looks), -1, rows, columns)
    attention = Attention(heads.numpy(), rollout.reshape(rows, columns).numpy())
    return attention, network.norm(tokens[:, 0])


def _last_layer(classifier: Any, x: Tensor) -> tuple[Any, Tensor]:
    """The last linear layer, and its inputs [count] for `x` [1, …]."""
    *before, last = list(_leaves(classifier)) or [classifier]
    for leaf in before:
        x = leaf(x)
    return last, x[0]


def _vote(last: Any, inputs: Tensor, label: int, count: int) -> Vote:
    parts = (last.weight[label] * inputs).reshape(count, -1).sum(1)
    bias = float(last.bias[label])
    return Vote(label, float(parts.sum()) + bias, bias, parts.numpy())
