"""Cuts along the path of the pen, and the ink up to them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mnistweb.history import pen_path
from mnistweb.history.pen_path import MAX_POINTS, PenPath
from mnistweb.predictions.strokes import Strokes, check_strokes
from mnistweb.recognition.rasteriser import Stroke, rasterise
from tests.support.drawings import STROKES, strokes_json

PARTS = 24


def drawing(*lines: Sequence[tuple[float, ...]], width: float = 20, size: float = 280) -> Strokes:
    """Return strokes as the log has them."""
    strokes = [{"width": width, "points": [list(point) for point in line]} for line in lines]
    return check_strokes({"size": size, "strokes": strokes})


def places(strokes: Strokes) -> list[float]:
    return [cut.at for cut in PenPath.of(strokes).cuts(PARTS)]


def last_frame(strokes: Strokes) -> Any:
    path = PenPath.of(strokes)
    return list(path.frames(path.cuts(PARTS)))[-1]


def test_one_line_is_cut_into_equal_parts() -> None:
    assert places(drawing([(40, 140), (240, 140)])) == pytest.approx(np.arange(1, 25) / 24, abs=1e-4)


def test_a_stroke_counts_until_the_pen_touches_down_again() -> None:
    # A fifth of the way is in the air: no cut is there, and the cut before reaches through it.
    found = places(drawing([(0, 0), (100, 0)], [(100, 50), (200, 50)]))
    assert 0.6 in found
    assert not [at for at in found if 0.4 <= at < 0.6]
    assert found[-1] == 1


def test_ink_at_the_end_of_a_stroke_has_nothing_of_the_next() -> None:
    strokes = drawing([(40, 40), (140, 40)], [(40, 200), (140, 200)])
    path = PenPath.of(strokes)
    cuts = path.cuts(PARTS)
    first = [cut.segment for cut in cuts].index(3)  # after two dots and a line
    frames = list(path.frames(cuts))
    line = Stroke(np.array([(40.0, 40.0), (140.0, 40.0)]), 20)
    assert np.array_equal(frames[first - 1], rasterise([line]))
    assert frames[first][180:].any()


@pytest.mark.parametrize("digit", STROKES)
def test_the_last_frame_is_the_whole_drawing(digit: int) -> None:
    strokes = check_strokes(strokes_json(digit))
    whole = rasterise([Stroke(np.array(stroke["points"]), 20) for stroke in strokes["strokes"]])
    assert np.abs(last_frame(strokes) - whole).max() < 1e-3


def test_ink_only_grows() -> None:
    path = PenPath.of(drawing([(40, 40), (240, 60), (60, 240)], [(100, 100)], [(200, 200), (30, 30)]))
    sums = [frame.sum() for frame in path.frames(path.cuts(PARTS))]
    assert sums == sorted(sums)
    assert sums[0] > 0


def test_pressure_widens_the_ink() -> None:
    light, usual, firm = (
        last_frame(drawing([(60, 140, pressure), (220, 140, pressure)])).sum() for pressure in (0.0, 0.5, 1.0)
    )
    assert light < usual < firm
    assert usual == pytest.approx(last_frame(drawing([(60, 140), (220, 140)])).sum())


def test_another_slate_gives_the_same_ink() -> None:
    large = last_frame(drawing([(30, 30), (250, 250)]))
    small = last_frame(drawing([(0.3, 0.3), (2.5, 2.5)], width=0.2, size=2.8))
    assert np.allclose(large, small, atol=1e-3)


@pytest.mark.parametrize(
    "lines",
    [
        [[(140.0, 140.0)]],
        [[(140.0, 140.0)] * 500],
        [[(140.0, 140.0)]] * 200,
        [[(float(x), 140.0)] for x in range(200)],
        [[(-10_000.0, 140.0), (10_000.0, 140.0)]],
    ],
    ids=["a dot", "a pen that rests", "a dot 200 times", "200 dots", "far over the edge"],
)
@pytest.mark.parametrize("size", [280, 1e-300, 10_000])
@pytest.mark.parametrize("width", [20, 1e-300, 10_000])
def test_odd_strokes_have_a_path(lines: list[list[tuple[float, ...]]], size: float, width: float) -> None:
    found = places(drawing(*lines, size=size, width=width))
    assert 1 <= len(found) <= PARTS
    assert found == sorted(found)
    assert found[-1] == 1
    frame = last_frame(drawing(*lines, size=size, width=width))
    assert np.isfinite(frame).all()


def test_wide_pens_are_drawn_smaller() -> None:
    zigzag = [(20.0 + 240 * (number % 2), 20 + 0.24 * number) for number in range(1000)]
    wide, usual = PenPath.of(drawing(zigzag, width=100)), PenPath.of(drawing(zigzag[::50], width=20))
    assert usual.side == 280
    assert 50 <= wide.side < 280
    assert last_frame(drawing(zigzag, width=100)).shape == (wide.side, wide.side)
    large = last_frame(drawing([(20, 20), (260, 260)], width=100)).mean()
    small = last_frame(drawing([(20, 20), (260, 260)] * 500, width=100)).mean()
    assert small == pytest.approx(large, abs=0.01)


def test_long_drawings_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(pen_path, "draw_capsule", lambda *capsule: drawn.append(capsule))
    turns = np.linspace(0, 200 * np.pi, 20_000).tolist()
    scribble = [(140 + 100 * math.cos(3 * turn), 140 + 100 * math.sin(turn)) for turn in turns]
    last_frame(drawing(scribble))
    assert len(drawn) <= MAX_POINTS + PARTS + 2
    last_frame(drawing(*(scribble[start : start + 100] for start in range(0, 20_000, 100))))
    assert len(drawn) <= 2 * (MAX_POINTS + PARTS) + 2 * 200
