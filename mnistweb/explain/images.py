"""Images of a model's internals, made from the arrays of recognition.attribution."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.types import SIDE, DigitImage

if TYPE_CHECKING:  # it imports torch, which a site with a model server does not need
    from mnistweb.recognition.attribution import Attention, Vote

MIN_TILE_SIDE = 4
"""Pixels; smaller maps are enlarged, so that they cover more of the sheet than the gaps."""
HEAT_LEVELS = 5
"""Number of opacities in a heat map."""
LARGEST = 8
"""Number of contributions that are shown one by one, before the rest is unfolded."""


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Contact sheet: all `count` maps of a layer as square tiles in one image, in rows of `columns`.

    `url` is the PNG as a data URL. `width`, `height`, the side `tile` of a tile, and the `gap` between tiles
    are in pixels. `strongest` is the index of the map with the highest mean square.
    """

    url: str
    width: int
    height: int
    count: int
    columns: int
    tile: int
    gap: int
    strongest: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """One summand of the last layer's logits of the winner and the runner-up; `map` is a data URL, if any."""

    name: str
    winner: float
    runner_up: float
    map: str | None = None


@dataclass(frozen=True, slots=True)
class Contributions:
    """All summands of two logits: the `largest`, the `rest` with its sum `others`, and the `bias`."""

    largest: list[Contribution]
    rest: list[Contribution]
    others: Contribution
    bias: Contribution

    @property
    def scale(self) -> float:
        """The largest absolute value of a single part, or 1 if all are 0."""
        return max(abs(value) for row in self.largest for value in (row.winner, row.runner_up)) or 1.0


def contact_sheet(maps: NDArray[np.uint8], columns: int | None = None) -> ContactSheet:
    """Arrange square maps, uint8 [count, side, side], in a contact sheet with transparent gaps."""
    mean_square = np.square(maps, dtype=np.float32).mean(axis=(1, 2))
    scale = -(-MIN_TILE_SIDE // maps.shape[1])
    enlarged = maps.repeat(scale, 1).repeat(scale, 2)
    count, tile, _ = enlarged.shape
    columns = columns or next(n for n in range(1, count + 1) if count % n == 0 and n >= sqrt(2 * count))
    gap = max(1, tile // 14)
    step = tile + gap
    pixels = np.zeros((count // columns * step - gap, columns * step - gap, 2), np.uint8)
    for number, each in enumerate(enlarged):
        y, x = (index * step for index in divmod(number, columns))
        pixels[y : y + tile, x : x + tile] = np.stack([each, np.full_like(each, 255)], axis=-1)
    height, width, _ = pixels.shape
    return ContactSheet(
        data_url(encode_png(pixels)), width, height, count, columns, tile, gap, int(mean_square.argmax())
    )


def attention_overlays(attention: NDArray[np.float32], image: DigitImage) -> NDArray[np.uint8]:
    """Light an image, uint8 [28, 28], by attention [count, rows, columns]: uint8 [count, 28, 28]."""
    ink = image / 255
    overlays = []
    for each in attention:
        enlarged = Image.fromarray(each / each.max()).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        light = np.asarray(enlarged)
        overlays.append(np.rint(255 * (ink * (0.12 + 0.88 * light) + (1 - ink) * 0.3 * light)))
    return np.array(overlays, np.uint8)


def attention_sheet(attention: Attention, image: DigitImage) -> ContactSheet:
    """Return the overlays of all attention heads: a row for each layer, a column for each head."""
    layers, heads, rows, columns = attention.heads.shape
    return contact_sheet(
        attention_overlays(attention.heads.reshape(layers * heads, rows, columns), image), heads
    )


def heat_paths(heat: NDArray[np.float32]) -> dict[str, list[tuple[float, str]]]:
    """Return SVG paths with their opacities: squares "for", hatching "against". `heat` is float32 [28, 28].

    One user unit is one pixel. Values below the first level are left out.
    """
    nonzero = np.abs(heat[heat != 0])
    scale = float(np.percentile(nonzero, 98)) if nonzero.size else 1.0
    levels = np.rint(np.abs(heat) / scale * HEAT_LEVELS).clip(0, HEAT_LEVELS).astype(int)
    return {
        side: [
            (
                round(0.25 + 0.75 * level / HEAT_LEVELS, 2),
                "".join(form.format(x=x, y=y, below=y + 1) for y, x in np.argwhere(where)),
            )
            for level in range(1, HEAT_LEVELS + 1)
            if (where := (levels == level) & (heat * sign > 0)).any()
        ]
        for side, sign, form in (
            ("for", 1, "M{x} {y}h1v1h-1z"),
            ("against", -1, "M{x} {y}.5l.5-.5M{x} {below}l1-1M{x}.5 {below}l.5-.5"),
        )
    }


def contributions(
    winner: Vote, runner_up: Vote, maps: NDArray[np.uint8] | None, count: int = LARGEST
) -> Contributions:
    """Split both logits into their parts, those that differ most first. Only `count` of them get maps."""
    order = np.argsort(-np.abs(winner.parts - runner_up.parts))
    kind = "Neuron" if maps is None else "Detector"
    parts = [
        Contribution(
            f"{kind} {part + 1}",
            float(winner.parts[part]),
            float(runner_up.parts[part]),
            None if maps is None or place >= count else data_url(encode_png(maps[part])),
        )
        for place, part in enumerate(order)
    ]
    rest = order[count:]
    return Contributions(
        largest=parts[:count],
        rest=parts[count:],
        others=Contribution(
            f"The other {rest.size}", float(winner.parts[rest].sum()), float(runner_up.parts[rest].sum())
        ),
        bias=Contribution("Head start (bias)", winner.bias, runner_up.bias),
    )
