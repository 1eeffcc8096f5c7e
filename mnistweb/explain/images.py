"""Pictures of what goes on inside a network, made of the arrays of recognition.inside."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.types import SIDE, DigitImage

if TYPE_CHECKING:  # it brings torch, which a site with a model server does without
    from mnistweb.recognition.attribution import Attention, Vote

LEAST_TILE = 4
"""Pixels; smaller maps are enlarged, so that the lines between them do not outweigh them."""
LEVELS = 5
"""How many strengths a heat map shows."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All maps of a layer in one picture, in rows of `columns`.

    `url` is the PNG as a data URL, `width` and `height` its pixels; tiles of `tile` pixels lie `gap` apart.
    `strongest` is the number from 0 of the map with the most power: spots outdo much grey.
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
class Row:
    """A line of the last layer's sum, for the winner and the runner-up; `map` is a data URL or nothing."""

    name: str
    winner: float
    runner_up: float
    map: str | None = None


def sheet(maps: NDArray[np.uint8], columns: int | None = None) -> Sheet:
    """Lay square maps, uint8 [count, side, side], side by side; what lies between them is transparent."""
    power = np.square(maps, dtype=np.float32).mean(axis=(1, 2))
    enlarged = maps.repeat(-(-LEAST_TILE // maps.shape[1]), 1).repeat(-(-LEAST_TILE // maps.shape[1]), 2)
    count, tile, _ = enlarged.shape
    columns = columns or next(n for n in range(1, count + 1) if count % n == 0 and n >= sqrt(2 * count))
    gap = max(1, tile // 14)
    step = tile + gap
    pixels = np.zeros((count // columns * step - gap, columns * step - gap, 2), np.uint8)
    for number, each in enumerate(enlarged):
        y, x = (place * step for place in divmod(number, columns))
        pixels[y : y + tile, x : x + tile] = np.stack([each, np.full_like(each, 255)], axis=-1)
    height, width, _ = pixels.shape
    return Sheet(data_url(encode_png(pixels)), width, height, count, columns, tile, gap, int(power.argmax()))


def spotlights(attention: NDArray[np.float32], image: DigitImage) -> NDArray[np.uint8]:
    """The drawing, uint8 [28, 28], lit where attention [count, rows, columns] lies: uint8 [count, 28, 28]."""
    ink = image / 255
    lit = []
    for each in attention:
        enlarged = Image.fromarray(each / each.max()).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        light = np.asarray(enlarged)
        lit.append(np.rint(255 * (ink * (0.12 + 0.88 * light) + (1 - ink) * 0.3 * light)))
    return np.array(lit, np.uint8)


def attention_sheet(attention: Attention, image: DigitImage) -> Sheet:
    """A row for each layer, in it a picture for each head."""
    layers, heads, rows, columns = attention.heads.shape
    return sheet(spotlights(attention.heads.reshape(layers * heads, rows, columns), image), heads)


def heat_paths(heat: NDArray[np.float32]) -> dict[str, list[tuple[float, str]]]:
    """SVG paths in pixels with their opacity, `for` squares and `against` hatching; the faintest left out."""
    inked = np.abs(heat[heat != 0])
    strongest = float(np.percentile(inked, 98)) if inked.size else 1.0
    levels = np.rint(np.abs(heat) / strongest * LEVELS).clip(0, LEVELS).astype(int)
    return {
        side: [
            (
                round(0.25 + 0.75 * level / LEVELS, 2),
                "".join(form.format(x=x, y=y, below=y + 1) for y, x in np.argwhere(where)),
            )
            for level in range(1, LEVELS + 1)
            if (where := (levels == level) & (heat * sign > 0)).any()
        ]
        for side, sign, form in (
            ("for", 1, "M{x} {y}h1v1h-1z"),
            ("against", -1, "M{x} {y}.5l.5-.5M{x} {below}l1-1M{x}.5 {below}l.5-.5"),
        )
    }


def vote_rows(
    winner: Vote, runner_up: Vote, maps: NDArray[np.uint8] | None, most: int = 8
) -> tuple[list[Row], float]:
    """The sums of both votes: the parts that tell them apart most, then the rest; and the largest part."""
    order = np.argsort(-np.abs(winner.parts - runner_up.parts))
    what = "Neuron" if maps is None else "Detector"
    rows = [
        Row(
            f"{what} {part + 1}",
            float(winner.parts[part]),
            float(runner_up.parts[part]),
            None if maps is None else data_url(encode_png(maps[part])),
        )
        for part in order[:most]
    ]
    rest = order[most:]
    rows.append(
        Row(f"The other {rest.size}", float(winner.parts[rest].sum()), float(runner_up.parts[rest].sum()))
    )
    rows.append(Row("Head start (bias)", winner.bias, runner_up.bias))
    return rows, max(abs(value) for row in rows[:most] for value in (row.winner, row.runner_up)) or 1.0
