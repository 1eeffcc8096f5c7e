"""The same strokes on the real canvas and in Python: training draws like the slate."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from mnistweb.history.pen_path import PenPath
from mnistweb.recognition.rasteriser import Coverage, Stroke, rasterise
from tests.support.drawings import SIDE, STROKES, Points


def on_canvas(page: Page, strokes: list[dict[str, Any]]) -> Coverage:
    """The picture that the page would send of these strokes."""
    url: str = page.evaluate(
        "async strokes => (await import('/static/js/slate/render.js')).toDataURL(strokes)", strokes
    )
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(picture.convert("L"), np.float32) / 255


def in_python(strokes: list[dict[str, Any]]) -> Coverage:
    """The picture that training makes of them."""
    return rasterise([Stroke(np.array(stroke["points"], float), stroke["width"]) for stroke in strokes])


def strokes_of(lines: list[Points], width: float) -> list[dict[str, Any]]:
    """Strokes as the slate keeps them."""
    return [{"width": width, "points": [list(point) for point in points]} for points in lines]


@pytest.mark.parametrize("width", [4, 10, 20, 40])
def test_digits_are_drawn_alike(page: Page, width: float) -> None:
    for lines in STROKES.values():
        strokes = strokes_of(lines, width)
        canvas, python = on_canvas(page, strokes), in_python(strokes)
        assert np.abs(canvas - python).mean() < 0.002
        assert canvas.mean() > 0.005


@pytest.mark.parametrize(
    "lines",
    [
        [[(140.5, 99.25)]],
        [[(20, 20), (260, 20), (20, 40), (260, 60)]],
        [[(-30, 140), (310, 150)]],
        [[(100, 100), (100, 100), (100.2, 100.1)]],
    ],
    ids=["a dot", "sharp corners", "over the edge", "hardly moved"],
)
def test_odd_strokes_are_drawn_alike(page: Page, lines: list[Points]) -> None:
    strokes = strokes_of(lines, 18)
    assert np.abs(on_canvas(page, strokes) - in_python(strokes)).mean() < 0.002


@pytest.mark.parametrize("width", [8, 20, 40])
def test_pressure_is_drawn_alike(page: Page, width: float) -> None:
    for lines in STROKES.values():
        strokes = strokes_of(lines, width)
        for stroke in strokes:
            for number, point in enumerate(stroke["points"]):
                point.append(abs(number % 20 - 10) / 10)
        path = PenPath.of({"size": SIDE, "strokes": strokes})  # type: ignore[typeddict-item]
        [python] = path.frames(path.cuts(24)[-1:])
        assert np.abs(on_canvas(page, strokes) - python).mean() < 0.002
