"""Drawings of digits, as images and as strokes."""

import base64
import io
from functools import cache
from math import cos, pi, sin
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIDE = 280
Points = list[tuple[float, float]]


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> Points:
    """Return points of an ellipse about (x, y), from `start` to `stop` in turns: 0 is right, 0.25 down."""
    turns = np.linspace(start, stop, 40) * 2 * pi
    return [(x + rx * cos(turn), y + ry * sin(turn)) for turn in turns]


STROKES: dict[int, list[Points]] = {
    0: [arc(140, 140, 55, 80, -0.25, 0.75)],
    1: [[(140, 60), (140, 220)]],
    2: [[*arc(140, 105, 50, 45, -0.5, 0.1), (85, 215), (200, 215)]],
    3: [[*arc(130, 100, 48, 40, -0.45, 0.25), *arc(130, 180, 52, 42, -0.25, 0.45)]],
    4: [[(110, 60), (85, 150), (195, 150)], [(170, 70), (165, 220)]],
    5: [[(185, 65), (105, 65), (98, 130), *arc(135, 170, 52, 48, -0.36, 0.4)]],
    6: [[(165, 55), (115, 115), *arc(140, 175, 45, 42, -0.5, 0.5)]],
    7: [[(85, 70), (195, 70), (130, 220)]],
    8: [[*arc(140, 100, 38, 38, 0.25, -0.75), *arc(140, 182, 46, 44, -0.25, 0.75)]],
    9: [[*arc(135, 105, 42, 42, 0.0, -1.0), (177, 105), (165, 220)]],
}


def draw_digit(digit: int, width: int = 20) -> Image.Image:
    """Draw a digit as a grey 280x280 image: light ink on a dark background, as the slate sends it."""
    scale = 2  # for antialiasing
    picture = Image.new("L", (SIDE * scale, SIDE * scale))
    pen = ImageDraw.Draw(picture)
    for points in STROKES[digit]:
        line = [(x * scale, y * scale) for x, y in points]
        pen.line(line, fill=255, width=width * scale, joint="curve")
        for x, y in line:
            radius = width * scale / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX)


def encode(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Encode an image as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@cache
def digit_png(digit: int = 3) -> bytes:
    """Return the PNG file of a drawn digit."""
    return encode(draw_digit(digit))


def pixels(file: bytes) -> tuple[tuple[int, int], bytes]:
    """Return the size and the grey pixels of an image file."""
    picture = Image.open(io.BytesIO(file)).convert("L")
    return picture.size, picture.tobytes()


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Return a file as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def strokes_json(digit: int = 3, width: int = 20) -> dict[str, Any]:
    """Return the strokes of a digit, as the slate sends them: rounded to hundredths."""
    strokes = [
        {"width": width, "points": [[round(x, 2), round(y, 2)] for x, y in points]}
        for points in STROKES[digit]
    ]
    return {"size": SIDE, "strokes": strokes}
