"""A plain convolutional network as matrix products of NumPy, from its frozen TorchScript.

Within a request it takes half as long as TorchScript. Its products are as fast, but torch's code leaves the
processor's caches until the next request, while NumPy's is used all the time.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

Maps = NDArray[np.float32]
"""float32 [n, height, width, channels]; [n, features] after flattening."""
Step = Callable[[Any], Any]
Network = Callable[[NDArray[np.uint8]], Maps]


def compile_network(frozen: torch.jit.ScriptModule) -> Network | None:
    """Return a function from uint8 [n, 28, 28] to logits float32 [n, 11].

    Returns None for a network that is no chain of the operations below, with the arguments that they know.
    """
    inputs = [each.debugName() for each in frozen.graph.inputs()]
    if len(inputs) != 2:  # the module itself, and the images
        return None
    last = inputs[1]
    constants: dict[str, Any] = {}
    steps: list[Step] = []
    for node in frozen.graph.nodes():
        if node.kind() == "prim::Constant":
            constants[node.output().debugName()] = value = node.output().toIValue()
            if isinstance(value, torch.Tensor) and value.dtype is not torch.float32:
                return None
            continue
        given, *others = [each.debugName() for each in node.inputs()] or [""]
        if node.kind() not in MAKERS or given != last or not constants.keys() >= set(others):
            return None
        step = MAKERS[node.kind()](*map(constants.__getitem__, others))
        if step is None:
            return None
        steps.append(step)
        last = node.output().debugName()
    return partial(_run, steps)


def _run(steps: Sequence[Step], images: NDArray[np.uint8]) -> Maps:
    values: Any = images
    for step in steps:
        values = step(values)
    return cast(Maps, values)


def _unsqueeze(axis: int) -> Step | None:
    # Channels come last here, and second in torch.
    return (lambda images: images[..., np.newaxis]) if axis == 1 else None


def _to(kind: int, *_: Any) -> Step | None:
    return (lambda images: images.astype(np.float32)) if kind == FLOAT else None


def _divide(by: float) -> Step:
    return lambda maps: maps / np.float32(by)


def _unshuffle(factor: int) -> Step:
    def step(maps: Maps) -> Maps:
        n, height, width, channels = maps.shape
        parts = maps.reshape(n, height // factor, factor, width // factor, factor, channels)
        return parts.transpose(0, 1, 3, 5, 2, 4).reshape(n, height // factor, width // factor, -1)

    return step


def _convolve(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Step | None:
    if bias is None or [*stride, *dilation, groups] != [1] * 5 or padding[0] != padding[1]:
        return None
    outputs, inputs, *kernel = weight.shape
    matrix = np.ascontiguousarray(weight.numpy().transpose(2, 3, 1, 0)).reshape(-1, outputs)
    added, margin = bias.numpy(), padding[0]

    def step(maps: Maps) -> Maps:
        n, height, width, _ = maps.shape
        padded = np.zeros((n, height + 2 * margin, width + 2 * margin, inputs), np.float32)
        padded[:, margin : margin + height, margin : margin + width] = maps
        image, row, column, channel = padded.strides
        shape = (n, padded.shape[1] - kernel[0] + 1, padded.shape[2] - kernel[1] + 1)
        windows = np.ndarray(
            (*shape, *kernel, inputs), np.float32, padded, 0, (image, row, column, row, column, channel)
        )
        found: Maps = windows.reshape(-1, len(matrix)) @ matrix
        found += added
        return found.reshape(*shape, outputs)

    return step


def _rectify() -> Step:
    return lambda maps: np.maximum(maps, 0, out=maps)


def _pool(
    kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], ceil: bool
) -> Step | None:
    if [*kernel, *stride, *padding, *dilation, ceil] != [2, 2, 2, 2, 0, 0, 1, 1, False]:
        return None

    def step(maps: Maps) -> Maps:
        height, width = (side // 2 * 2 for side in maps.shape[1:3])
        rows = np.maximum(maps[:, 0:height:2, :width], maps[:, 1:height:2, :width])
        return np.maximum(rows[:, :, 0::2], rows[:, :, 1::2])

    return step


def _flatten(first: int, last: int) -> Step | None:
    return (
        (lambda maps: maps.transpose(0, 3, 1, 2).reshape(len(maps), -1)) if (first, last) == (1, -1) else None
    )


def _multiply(weight: torch.Tensor, bias: torch.Tensor | None) -> Step | None:
    if bias is None:
        return None
    matrix, added = np.ascontiguousarray(weight.numpy().T), bias.numpy()
    return lambda features: features @ matrix + added


FLOAT = 6
"""torch.float32 in TorchScript."""
MAKERS: dict[str, Callable[..., Step | None]] = {
    "aten::unsqueeze": _unsqueeze,
    "aten::to": _to,
    "aten::div": _divide,
    "aten::pixel_unshuffle": _unshuffle,
    "aten::conv2d": _convolve,
    "aten::relu_": _rectify,
    "aten::max_pool2d": _pool,
    "aten::flatten": _flatten,
    "aten::linear": _multiply,
}
"""The maker of each operation's step, which takes all of its arguments but the first."""
