"""Architecture diagrams of networks as SVG, from the shapes of a forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, sqrt
from xml.sax.saxutils import escape  # nosec B406 # nothing is parsed by it

import torch
from torch import Tensor, nn

from mnistweb.training.networks import Block

INK, ACCENT, BACKGROUND = "#8a8577", "#2f8aa8", "#2b2f36"
GAP, MARGIN, HEIGHT = 26, 24, 250


@dataclass(frozen=True, slots=True)
class Stage:
    """One box: operation, output shape (without the batch), and number of parameters."""

    name: str
    shape: tuple[int, ...]
    parameters: int


def stages(network: nn.Module) -> list[Stage]:
    """List the layers that change the shape or have parameters, in order."""
    found = [Stage("image", (1, 28, 28), 0)]

    def note(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        learnt = sum(parameter.numel() for parameter in module.parameters())
        found.append(Stage(_description(module), tuple(output.shape[1:]), learnt))

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
    return found


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


def to_svg(title: str, drawn: Sequence[Stage]) -> str:
    """Draw boxes from left to right: height by the size of the maps, width by their number."""
    x, parts = float(MARGIN), []
    middle = 30 + (HEIGHT - 90) / 2
    for number, stage in enumerate(drawn):
        side, depth = _extent(stage.shape)
        box_height, box_width = 24 + 4.1 * side, 10 + 7 * log2(depth + 1)
        colour = BACKGROUND if number == 0 else ACCENT
        label_x = x + box_width / 2
        if number:
            parts.append(_arrow(x - GAP + 4, middle, x - 4))
        parts.append(
            f'<rect x="{x:.1f}" y="{middle - box_height / 2:.1f}" '
            f'width="{box_width:.1f}" height="{box_height:.1f}" '
            f'rx="3" fill="{colour}" fill-opacity="{0.35 + 0.06 * min(number, 8):.2f}" stroke="{colour}"/>'
        )
        foot = HEIGHT - 52 + 15 * (number % 2) * 1.9
        parts.append(_text(label_x, foot, stage.name, 10))
        parts.append(_text(label_x, foot + 12, " × ".join(map(str, stage.shape)), 10))
        x += box_width + GAP
    width = max(x - GAP + MARGIN, 320)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {HEIGHT}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>\n"
    )


def _extent(shape: tuple[int, ...]) -> tuple[float, int]:
    """Return the side of the maps, and their number."""
    if len(shape) == 3:
        return shape[1], shape[0]
    if len(shape) == 2:  # tokens x width
        return sqrt(shape[0]), shape[1]
    return 0, shape[0]


def _arrow(start: float, y: float, end: float) -> str:
    way = f"M{start:.1f} {y:.1f}H{end:.1f}m-4 -3l4 3l-4 3"
    return f'<path d="{way}" fill="none" stroke="{INK}" stroke-width="1.2"/>'


def _text(x: float, y: float, words: str, size: int) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-family="system-ui, sans-serif" '
        f'font-size="{size}" fill="{INK}">{escape(words)}</text>'
    )
