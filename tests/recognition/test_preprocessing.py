"""Preprocessing as MNIST's: box, aspect ratio, antialiasing, centre of mass."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from mnistweb.recognition.errors import EmptyDrawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import DigitImage, Ink, to_ink
from tests.support.compare import unlike
from tests.support.drawings import STROKES, draw_digit


def ink_of(digit: int) -> Ink:
    """Return the test digit as ink."""
    return np.array(draw_digit(digit))


def resize(ink: Ink, height: int, width: int) -> NDArray[np.float32]:
    """Scale by torch, antialiased: float32 in 0..255."""
    pixels = torch.from_numpy(ink)[None, None].float()
    scaled: NDArray[np.float32] = interpolate(pixels, (height, width), mode="bilinear", antialias=True)[
        0, 0
    ].numpy()
    return scaled


def reference(ink: Ink) -> DigitImage:
    """Reimplement preprocessing with torch's antialiased resize and plain sums."""
    rows, columns = np.nonzero(ink > 25)
    box = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy()
    small = resize(box, *(max(1, round(side * 20 / max(box.shape))) for side in box.shape))
    small = small / small.max()
    canvas = np.zeros((28, 28))
    mass = small.sum()
    y = sum(i * small[i].sum() for i in range(small.shape[0])) / mass
    x = sum(j * small[:, j].sum() for j in range(small.shape[1])) / mass
    top, left = round(14 - y), round(14 - x)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.round(canvas * 255).astype(np.uint8)


@pytest.mark.parametrize("digit", STROKES)
def test_matches_an_independent_implementation(digit: int) -> None:
    ours, theirs = normalize(ink_of(digit)).astype(int), reference(ink_of(digit)).astype(int)
    assert np.abs(ours - theirs).max() <= 2


@pytest.mark.parametrize("digit", STROKES)
def test_centre_of_mass_is_pixel_14(digit: int) -> None:
    image = normalize(ink_of(digit)).astype(float)
    places = np.arange(28)
    assert abs(image.sum(axis=1) @ places / image.sum() - 14) <= 0.51
    assert abs(image.sum(axis=0) @ places / image.sum() - 14) <= 0.51


@pytest.mark.parametrize("digit", STROKES)
def test_longer_side_is_20_pixels(digit: int) -> None:
    rows, columns = np.nonzero(normalize(ink_of(digit)) > 12)
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20


def test_aspect_ratio_is_kept() -> None:
    bar = np.zeros((280, 280), np.uint8)
    bar[40:240, 120:160] = 255
    rows, columns = np.nonzero(normalize(bar))
    assert [int(np.ptp(side)) + 1 for side in (rows, columns)] == [20, 4]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (60, 0), (0, 97), (331, 212)])
def test_place_on_the_slate_changes_nothing(down: int, right: int) -> None:
    ink = ink_of(5)
    moved = np.zeros((700, 700), np.uint8)
    moved[down : down + 280, right : right + 280] = ink
    assert np.array_equal(normalize(moved), normalize(ink))


@pytest.mark.parametrize(("side", "most"), [(60, 12), (150, 4), (900, 4)])
def test_size_changes_little(side: int, most: float) -> None:
    ink = ink_of(8)
    assert unlike(normalize(to_ink(resize(ink, side, side) / 255)), normalize(ink)) < most


@pytest.mark.parametrize("digit", STROKES)
def test_normalised_image_is_a_fixed_point(digit: int) -> None:
    once = normalize(ink_of(digit))
    again = normalize(once)
    assert unlike(once, again) < 1.5


@pytest.mark.parametrize("level", [0, 25])
def test_blank_slate_raises_empty_drawing(level: int) -> None:
    with pytest.raises(EmptyDrawing):
        normalize(np.full((280, 280), level, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (28, 28), (3, 4000)])
def test_ink_of_any_shape_is_accepted(shape: tuple[int, int]) -> None:
    image = normalize(np.full(shape, 255, np.uint8))
    assert image.shape == (28, 28)
    assert image.max() == 255


def test_corner_shape_stays_inside_the_image() -> None:
    # The centre of mass of this L is so far off that centring alone would push it over the edge.
    ink = np.zeros((200, 200), np.uint8)
    ink[:, :2] = 255
    ink[-2:] = 255
    ink[150:, :50] = 255
    assert (normalize(ink) > 0).any(axis=0).sum() == 20
