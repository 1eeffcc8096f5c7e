"""Rasterising of pen strokes; tests/browser compares it with the slate's canvas."""

import numpy as np
import pytest

from mnistweb.recognition.rasteriser import Stroke, rasterise


def line(*points: tuple[float, float], width: float) -> Stroke:
    """Return a stroke through points."""
    return Stroke(np.array(points, float), width)


@pytest.mark.parametrize("width", [1, 4, 18, 40])
def test_horizontal_line_covers_its_area(width: float) -> None:
    ink = rasterise([line((60, 140), (220, 140), width=width)])
    assert ink.sum() == pytest.approx(160 * width + np.pi * width**2 / 4, rel=0.02)


def test_single_point_is_a_filled_circle() -> None:
    ink = rasterise([line((140, 140), width=30)])
    assert ink.sum() == pytest.approx(np.pi * 15**2, rel=0.01)
    assert np.allclose(ink, ink.T)


def test_crossing_strokes_do_not_add_up() -> None:
    cross = rasterise([line((90, 140), (190, 140), width=20), line((140, 90), (140, 190), width=20)])
    assert cross.max() == 1
    assert cross.sum() < 2 * rasterise([line((90, 140), (190, 140), width=20)]).sum()


def test_half_size_equals_the_reduced_picture() -> None:
    strokes = [line((60, 60), (220, 90), (80, 230), width=16)]
    large = rasterise(strokes).reshape(140, 2, 140, 2).mean(axis=(1, 3))
    assert np.abs(rasterise(strokes, size=140) - large).mean() < 0.002


@pytest.mark.parametrize("place", [(-500, 140), (140, 900), (-3, -3)])
def test_strokes_are_clipped_to_the_slate(place: tuple[float, float]) -> None:
    ink = rasterise([line(place, (140, 140), width=10)])
    assert ink.shape == (280, 280)
    assert 0 < ink.sum() < 280 * 280
