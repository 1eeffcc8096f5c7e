"""Attribution: feature maps, votes, attention and integrated gradients of one forward pass."""

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

INTEGRATION_STEPS = 64
"""Points on the path of integrated gradients: with 64, the sum for `cnn` is within 3 percent."""
WHITE_PERCENTILE = 99.5
"""Percentile of a layer's values that is shown as white, so that one outlier does not darken the rest."""
# Layers that belong to the convolution before them: its maps are shown after these.
POST_CONVOLUTION_LAYERS = frozenset({"BatchNorm2d", "ReLU", "ScaledTanh"})
WINDOWED_LAYERS = frozenset({"Conv2d", "MaxPool2d", "AvgPool2d"})
"""Layers that compute each value from a window of the maps before them."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Feature maps of a convolution after its activation: `maps` uint8 [count, height, width].

    All maps of a layer share one scale, so that they can be compared: 0 is black, the strongest value is
    white. If values may be negative (`signed`), 0 is the grey level 128, and negative values are darker.

    A value depends on a square of the image, `receptive_field` pixels wide, 28 at most.

    A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", 2019,
    equation 2.
    """

    name: str
    maps: NDArray[np.uint8]
    signed: bool
    receptive_field: int


@dataclass(frozen=True, slots=True)
class Vote:
    """A class's share of the last layer: `parts` and `bias` add up to its `score`, the logit.

    `parts` float32 [count]: weight times input, summed over the pixels of each of the last maps.
    """

    label: int
    score: float
    bias: float
    parts: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention of a Vision Transformer's class token to each patch of the image.

    `heads` float32 [layers, heads, rows, columns]: each sums to 1 together with the class token's attention
    to itself, which is left out. `rollout` float32 [rows, columns], sum 1, is the attention through all
    layers.

    S. Abnar and W. Zuidema, "Quantifying attention flow in transformers", 2020.
    """

    heads: NDArray[np.float32]
    rollout: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that explains one answer.

    `winner` is the vote for the answer (label 10: not a digit), `runner_up` the vote for the next most likely
    class. `last_maps` are the maps that both weigh, as in Layer, or None if the last layer weighs single
    numbers. `heat` float32 [28, 28] is each pixel's contribution to the winner's score, negative if it lowers
    the score.
    """

    answer: Answer
    layers: tuple[Layer, ...]
    winner: Vote
    runner_up: Vote
    last_maps: NDArray[np.uint8] | None
    heat: NDArray[np.float32]
    attention: Attention | None


def explain(recognizer: TorchScriptRecognizer, image: DigitImage) -> Explanation:
    """Explain a network's answer for `image`, uint8 [28, 28] with 255 for ink."""
    answer = recognizer.recognize(image)
    network: Any = recognizer.network.network  # without the exported file's scaling of bytes to 0..1
    pixels = torch.tensor(image).float().reshape(1, 1, SIDE, SIDE) / 255
    with torch.no_grad():
        logits: Tensor = network(pixels)[0]
        layers, features = _feature_maps(network, pixels)
        attention, inputs = _attention(network, features) if hasattr(network, "blocks") else (None, features)
        last, inputs = _last_layer(network.classifier, inputs)
        winner = DIGITS if answer.digit is None else answer.digit
        runner_up = next(int(label) for label in logits.argsort(descending=True) if label != winner)
        # If the last layer weighs the pixels of maps, a map's pixels vote together.
        weighs_maps = inputs.numel() == features.numel()
        votes = [
            _vote(last, inputs, label, features.shape[1] if weighs_maps else len(inputs))
            for label in (winner, runner_up)
        ]
    return Explanation(
        answer=answer,
        layers=tuple(layers),
        winner=votes[0],
        runner_up=votes[1],
        last_maps=to_grey(features[0])[0] if weighs_maps else None,
        heat=integrated_gradients(network, pixels, winner),
        attention=attention,
    )


def integrated_gradients(
    network: Any, pixels: Tensor, label: int, steps: int = INTEGRATION_STEPS
) -> NDArray[np.float32]:
    """Attribute the logit of `label` to the pixels, against a black image: float32 [28, 28].

    Takes float32 [1, 1, 28, 28] in 0..1. Apart from the quadrature's error, the sum over all pixels is the
    image's logit minus that of the black image. Black pixels get 0.

    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", 2017, equation 1. The
    integral is computed by Gauss-Legendre quadrature.
    """
    nodes, weights = (torch.from_numpy(part).float() for part in np.polynomial.legendre.leggauss(steps))
    path = ((nodes + 1) / 2).reshape(-1, 1, 1, 1) * pixels
    path.requires_grad_()
    (gradients,) = torch.autograd.grad(network(path)[:, label] @ weights / 2, path)
    return (gradients.sum(0, keepdim=True) * pixels)[0, 0].numpy()


def to_grey(maps: Tensor) -> tuple[NDArray[np.uint8], bool]:
    """Scale feature maps [n, h, w] to grey levels, and return whether they are signed: see Layer."""
    values = maps.numpy()
    signed = bool(values.min() < 0)
    strengths = np.abs(values[values != 0])
    brightest = float(np.percentile(strengths, WHITE_PERCENTILE)) if strengths.size else 1.0
    shown = values / brightest * (127 if signed else 255) + (128 if signed else 0)
    return np.rint(shown.clip(0, 255)).astype(np.uint8), signed


def _leaf_modules(module: Any) -> Iterator[Any]:
    for child in module.children():
        if next(child.children(), None) is None:
            yield child
        else:
            yield from _leaf_modules(child)


def _feature_maps(network: Any, x: Tensor) -> tuple[list[Layer], Tensor]:
    """Return the maps of each convolution, and the output [1, channels, h, w] of the last layer."""
    stages = network.features if hasattr(network, "features") else network.stem
    found: list[Tensor] = []
    fields: list[int] = []
    field, step = 1, 1  # pixels that a value depends on, and pixels from one value to the next
    for leaf in _leaf_modules(stages):
        x = leaf(x)
        if leaf.original_name in WINDOWED_LAYERS:
            field += (_side(leaf.kernel_size) - 1) * step
            step *= _side(leaf.stride)
        elif leaf.original_name == "PixelUnshuffle":
            field += (leaf.downscale_factor - 1) * step
            step *= leaf.downscale_factor
        if leaf.original_name == "Conv2d":
            found.append(x)
            fields.append(min(field, SIDE))
        elif leaf.original_name in POST_CONVOLUTION_LAYERS:
            found[-1] = x
    numbered = enumerate(zip(found, fields, strict=True), 1)
    return [_layer(number, maps[0], field) for number, (maps, field) in numbered], x


def _side(extent: int | tuple[int, int]) -> int:
    return extent if isinstance(extent, int) else extent[0]


def _layer(number: int, maps: Tensor, receptive_field: int) -> Layer:
    count, height, width = maps.shape
    return Layer(f"Convolution {number}: {count} maps of {height}×{width}", *to_grey(maps), receptive_field)


def _attention(network: Any, features: Tensor) -> tuple[Attention, Tensor]:
    """Return a Vision Transformer's attention, and its class token [1, width] as the last layer gets it."""
    rows, columns = features.shape[2:]
    patches = features.flatten(2).transpose(1, 2)
    tokens = torch.cat([network.class_token, patches], dim=1) + network.position
    class_attention, flow = [], torch.eye(tokens.shape[1])
    for block in network.blocks.children():
        weights, _ = block.attention.weights(block.norm1(tokens))  # [1, heads, tokens, tokens]
        class_attention.append(weights[0, :, 0, 1:])
        # The residual connection passes on half of each token unchanged.
        flow = (weights[0].mean(0) + torch.eye(tokens.shape[1])) / 2 @ flow
        tokens = block(tokens)
    rollout = flow[0, 1:] / flow[0, 1:].sum()
    heads = torch.stack(class_attention).reshape(len(class_attention), -1, rows, columns)
    attention = Attention(heads.numpy(), rollout.reshape(rows, columns).numpy())
    return attention, network.norm(tokens[:, 0])


def _last_layer(classifier: Any, x: Tensor) -> tuple[Any, Tensor]:
    """Return the last linear layer, and its inputs [count] for `x` [1, …]."""
    *before, last = list(_leaf_modules(classifier)) or [classifier]
    for leaf in before:
        x = leaf(x)
    return last, x[0]


def _vote(last: Any, inputs: Tensor, label: int, count: int) -> Vote:
    parts = (last.weight[label] * inputs).reshape(count, -1).sum(1)
    bias = float(last.bias[label])
    return Vote(label, float(parts.sum()) + bias, bias, parts.numpy())
