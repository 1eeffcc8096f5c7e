"""Layers of a network with their output shapes, from a forward pass."""

import torch
from torch import Tensor, nn

from mnistweb.recognition.report import Layer
from mnistweb.training.networks import Block


def list_layers(network: nn.Module) -> tuple[Layer, ...]:
    """List the image, and the layers that change the shape or have parameters, in order."""
    found = [Layer("image", (1, 28, 28), 0)]

    def note(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        parameters = sum(parameter.numel() for parameter in module.parameters())
        found.append(Layer(_description(module), tuple(output.shape[1:]), parameters))

    hooks = [
        module.register_forward_hook(note)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear | nn.MaxPool2d | nn.AvgPool2d | Block)
        and not _inside_block(network, module)
    ]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 1, 28, 28))
    for hook in hooks:
        hook.remove()
    return tuple(found)


def _inside_block(network: nn.Module, module: nn.Module) -> bool:
    return any(
        module is inner
        for block in network.modules()
        if isinstance(block, Block)
        for inner in block.modules()
        if inner is not block
    )


def _description(module: nn.Module) -> str:
    match module:
        case nn.Conv2d():
            return f"convolution {module.kernel_size[0]}×{module.kernel_size[1]}"
        case nn.MaxPool2d():
            return "max pooling 2×2"
        case nn.AvgPool2d():
            return "average pooling 2×2"
        case Block():
            return "attention block"
        case _:
            return "fully connected"
