"""Ink is the pen's stroke, whatever surrounds it."""

import math
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import EmptyDrawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rasteriser import Coverage, Stroke, rasterise
from mnistweb.recognition.types import DigitImage, Recognizer, to_ink
from mnistweb.recognition.zoo import Zoo
from tests.support.compare import unlike
from tests.support.drawings import STROKES, draw_digit, encode
from tests.support.pictures import EMPTY, SCENES, Levels, covered_by, grain, on, picture
from tests.support.quick import QUICK

MIDDLE, THIN, THICK = 20, 8, 34
RINGS = {"circle", "box drawn by hand"}


@cache
def cnn() -> Recognizer:
    return Zoo.load().get("cnn")


def image_of(drawing: Image.Image) -> DigitImage:
    return normalize(read_drawing(encode(drawing, compress_level=1), 10**7))


@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
@pytest.mark.parametrize("scene", SCENES)
def test_what_surrounds_a_digit_is_ground(scene: str, light: bool) -> None:
    last = 7 if scene in RINGS else 1  # a ring around a line is a zero with a slash
    digits = ((5, MIDDLE, 1), (8, THIN, 1), (2, THICK, 0.5), (last, MIDDLE, 0.5))
    for digit, width, share in digits[light::2] if QUICK else digits:
        ink = covered_by(digit, width)
        image = image_of(picture(SCENES[scene](ink), light=light, share=share))
        assert unlike(image, normalize(to_ink(ink))) < 24
        assert cnn().recognize(image).digit == digit


@pytest.mark.parametrize("angle", [20, 40])
@pytest.mark.parametrize("length", [60, 110])
@pytest.mark.parametrize("width", [110, 140])
def test_slash_in_a_round_zero_is_not_what_the_zero_frames(width: int, length: int, angle: int) -> None:
    drawing = Image.new("L", (280, 280), 255)
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((140 - width / 2, 70, 140 + width / 2, 210), outline=0, width=10)
    x, y = length / 2 * math.sin(math.radians(angle)), length / 2 * math.cos(math.radians(angle))
    pen.line((140 - x, 140 + y, 140 + x, 140 - y), fill=0, width=10)
    assert cnn().recognize(image_of(drawing)).digit == 0


@pytest.mark.parametrize("empty", EMPTY)
def test_ground_alone_is_no_drawing(empty: str) -> None:
    with pytest.raises(EmptyDrawing):
        image_of(picture(EMPTY[empty]))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("digit", STROKES)
def test_a_plain_drawing_is_its_own_ink(digit: int, mode: str) -> None:
    drawing = draw_digit(digit)
    expected = normalize(np.asarray(drawing))
    assert unlike(image_of(drawing.convert(mode)), expected) < 0.05


@pytest.mark.parametrize("digit", [2, 5, 8])
def test_a_digit_at_the_slates_edge_is_whole(digit: int) -> None:
    ink = covered_by(digit, MIDDLE)
    left, top = (int(np.flatnonzero(ink.max(axis=axis) > 0)[0]) for axis in (0, 1))
    assert unlike(image_of(picture(on(1.0, ink[top + 4 :, left + 4 :]))), normalize(to_ink(ink))) < 12


@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_a_digit_larger_than_the_slate_is_whole(digit: int) -> None:
    points = np.concatenate([np.array(line, float) for line in STROKES[digit]])
    low, size = points.min(axis=0), np.ptp(points, axis=0).max()
    strokes = [(np.array(line, float) - low) / size * 284 - 2 for line in STROKES[digit]]
    ink = rasterise([Stroke(line, MIDDLE) for line in strokes])
    levels = on(1.0, ink, 0)
    assert unlike(image_of(picture(levels)), normalize(to_ink(ink))) < 1
    assert unlike(image_of(picture(levels, light=True)), normalize(to_ink(ink))) < 1


def test_a_scribble_over_more_than_half_of_the_slate_is_ink() -> None:
    scribble = np.zeros((280, 280), np.uint8)
    scribble[20:260, 20:260] = 255
    scribble[60:240:40, 60:200] = 0
    image = image_of(Image.fromarray(scribble))
    assert (image > 127).sum() > 250


def test_several_digits_stay_several() -> None:
    row = np.concatenate([covered_by(digit, MIDDLE) for digit in (1, 0, 7)], axis=1)
    expected = normalize(to_ink(row))
    assert unlike(image_of(picture(on(0.9, row))), expected) < 4
    assert cnn().recognize(image_of(picture(on(0.9, row)))).digit is None


def test_faint_specks_beside_clear_ink_do_not_shrink_it() -> None:
    ink = covered_by(3, MIDDLE)
    speckled = ink.copy()
    speckled[20:24, 20:24] = speckled[250:254, 240:246] = 0.2
    assert unlike(image_of(picture(on(1.0, speckled))), normalize(to_ink(ink))) < 1


@pytest.mark.parametrize("size", [1, 3, 6])
def test_dust_of_a_scanner_does_not_shrink_ink(size: int) -> None:
    ink = covered_by(5, MIDDLE)
    scan = np.pad(on(1.0, ink), 360, constant_values=1.0)
    for place in (100, 900):
        scan[place : place + size, place : place + size] = 0.1
    assert unlike(image_of(picture(scan)), normalize(to_ink(ink))) < 0.5
    assert unlike(image_of(picture(scan, light=True)), normalize(to_ink(ink))) < 0.5


def test_parts_of_a_digit_are_no_specks() -> None:
    ink = covered_by(1, MIDDLE)
    ink[40:64, 80:104] = 1  # a twentieth of it
    assert unlike(image_of(picture(on(1.0, ink))), normalize(to_ink(ink))) < 0.5


@pytest.mark.parametrize("share", [0.25, 0.45, 0.8])
@pytest.mark.parametrize("digit", [2, 5, 8])
def test_an_opaque_page_on_a_transparent_canvas_is_ground(digit: int, share: float) -> None:
    ink = covered_by(digit, MIDDLE)
    page = picture(on(1.0, ink)).convert("RGBA")
    side = round(280 / share**0.5)
    canvas = Image.new("RGBA", (side, side))
    canvas.paste(page, ((side - 280) // 2,) * 2)
    assert unlike(image_of(canvas), normalize(to_ink(ink))) < 2


@pytest.mark.parametrize("digit", [2, 5, 8])
def test_ink_of_several_colours_on_a_transparent_ground_is_ink(digit: int) -> None:
    ink = covered_by(digit, MIDDLE)
    blend = np.tile(np.linspace(0, 255, 280).astype(np.uint8), (280, 1))
    strokes = np.dstack([blend, 255 - blend, blend, np.uint8(255 * ink)])
    assert unlike(image_of(Image.fromarray(strokes)), normalize(to_ink(ink))) < 0.5


@pytest.mark.parametrize("digit", [2, 5, 8])
def test_a_dithered_photo_is_no_noise(digit: int) -> None:
    ink = covered_by(digit, THICK)
    photo = picture(on(0.8 - 0.25 * np.linspace(0, 1, 280), ink)).convert("1")
    assert cnn().recognize(image_of(photo)).digit == digit


def test_a_tiny_picture_is_no_noise() -> None:
    read = [
        cnn().recognize(image_of(picture(on(1.0, covered_by(digit, THICK)), share=1 / 20))).digit
        for digit in range(10)
    ]
    assert sum(digit == answer for digit, answer in enumerate(read)) >= 7


def coloured(ground: Levels, pen: tuple[float, float, float], ink: Coverage) -> Image.Image:
    """Draw ink with a pen of one colour on a ground [H, W, 3]."""
    levels = ground + (np.array(pen) - ground) * ink[..., None]
    return Image.fromarray(np.rint(255 * levels).astype(np.uint8))


@pytest.mark.parametrize("digit", [2, 4, 5, 8])
def test_white_ink_on_a_blend_of_colours_is_found(digit: int) -> None:
    ink = covered_by(digit, MIDDLE)
    blend = np.linspace(0, 1, 280)[:, None, None]
    ground = (1 - blend) * (1, 0.45, 0.45) + blend * (0.45, 0.45, 1) + np.zeros((280, 280, 3))
    assert unlike(image_of(coloured(ground, (1, 1, 1), ink)), normalize(to_ink(ink))) < 12


@pytest.mark.parametrize("digit", [2, 4, 5, 8])
def test_ink_across_two_colours_is_whole(digit: int) -> None:
    ink = covered_by(digit, MIDDLE)
    halves = np.arange(280)[:, None, None] < 150
    ground = np.where(halves, (1, 0.9, 0.47), (0.47, 0.78, 1)) + np.zeros((280, 280, 3))
    assert cnn().recognize(image_of(coloured(ground, (0.1, 0.1, 0.12), ink))).digit == digit


@pytest.mark.parametrize("digit", [2, 4, 5, 8])
def test_faint_pencil_is_ink(digit: int) -> None:
    ink = covered_by(digit, THIN)
    light = 0.8 - 0.15 * np.linspace(0, 1, 280)
    faint = light - 0.085 * ink + np.random.default_rng(1).normal(0, 0.008, ink.shape)
    assert cnn().recognize(image_of(picture(faint))).digit == digit


def test_dots_make_a_line() -> None:
    ink = covered_by(0, 12)
    dots = np.zeros_like(ink)
    for turn in np.linspace(0, 2 * np.pi, 24):
        x, y = 140 + 55 * np.cos(turn), 140 + 80 * np.sin(turn)
        dots = np.maximum(dots, rasterise([Stroke(np.array([[x, y]]), 12)]))
    for levels in (on(1.0, dots), grain(on(0.8 - 0.2 * np.linspace(0, 1, 280), dots))):
        assert unlike(image_of(picture(levels)), normalize(to_ink(dots))) < 12


@pytest.mark.parametrize("shape", [(50, 1), (1, 50), (1, 1)])
def test_one_line_of_pixels_is_no_drawing(shape: tuple[int, int]) -> None:
    levels = np.linspace(0, 255, shape[0] * shape[1]).astype(np.uint8).reshape(shape)
    with pytest.raises(EmptyDrawing):
        image_of(Image.fromarray(levels))
