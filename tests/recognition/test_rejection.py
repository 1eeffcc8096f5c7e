"""The reason for a rejection is told from the shape of the ink."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rasteriser import Stroke, rasterise
from mnistweb.recognition.rejection import (
    DOT,
    EDGE,
    MERGED,
    SEVERAL,
    SIGN,
    reason_in_picture,
    rejection_reason,
)
from mnistweb.recognition.types import Ink, to_ink
from tests.support.drawings import STROKES, Points

A: list[Points] = [[(80, 220), (140, 60), (200, 220)], [(105, 160), (175, 160)]]
E: list[Points] = [[(190, 60), (95, 60), (95, 220), (190, 220)], [(95, 140), (170, 140)]]
PLUS: list[Points] = [[(140, 60), (140, 220)], [(60, 140), (220, 140)]]
EQUALS: list[Points] = [[(60, 110), (220, 110)], [(60, 170), (220, 170)]]
COLON: list[Points] = [[(140, 80)], [(140, 180)]]
SMALL_I: list[Points] = [[(140, 40)], [(140, 100), (140, 220)]]
DETACHED_FIVE: list[Points] = [
    [(95, 50), (195, 50)],
    [(95, 90), (95, 130), (150, 120), (190, 150), (180, 200), (130, 225), (85, 210)],
]
BRACKET: list[Points] = [[(170, 40), (110, 40), (110, 240), (170, 240)]]


def drawn(lines: list[Points], width: float = 20) -> Ink:
    return to_ink(rasterise([Stroke(np.array(line, np.float64), width) for line in lines]))


def reason(lines: list[Points], width: float = 20) -> str:
    return rejection_reason(normalize(drawn(lines, width)))


def beside(*digits: int, width: float = 20) -> str:
    """Return the reason for digits side by side, each half as large as usual."""
    lines = [
        [(x / 2 + 20 + 80 * place, y / 2 + 70) for x, y in line]
        for place, digit in enumerate(digits)
        for line in STROKES[digit]
    ]
    return reason(lines, width)


@pytest.mark.parametrize("width", [14, 20, 28, 60])
@pytest.mark.parametrize("x", [20.0, 140.3, 280.0])
def test_a_click_is_only_a_dot(width: float, x: float) -> None:
    assert reason([[(x, 140)]], width) == DOT


@pytest.mark.parametrize("line", [[(140, 140), (146, 140)], [(140, 140), (144, 145), (139, 143)]])
def test_a_pen_that_hardly_moves_leaves_a_dot(line: Points) -> None:
    assert reason([line]) == DOT


@pytest.mark.parametrize("digits", [(4, 2), (1, 1), (1, 0), (0, 1), (7, 7), (3, 8), (1, 2, 3)])
@pytest.mark.parametrize("width", [10, 14])
def test_digits_side_by_side_are_several(digits: tuple[int, ...], width: float) -> None:
    assert beside(*digits, width=width) == SEVERAL


@pytest.mark.parametrize(("upper", "lower"), [(0, 0), (0, 8), (3, 3), (6, 0)])
@pytest.mark.parametrize("width", [10, 14])
def test_parts_above_each_other_are_several(upper: int, lower: int, width: float) -> None:
    lines = [
        [(x / 2 + 70, y / 2 + top) for x, y in line]
        for digit, top in ((upper, 0), (lower, 130))
        for line in STROKES[digit]
    ]
    assert reason(lines, width) == SEVERAL


@pytest.mark.parametrize("lines", [COLON, SMALL_I, DETACHED_FIVE])
def test_a_small_part_above_another_is_a_sign(lines: list[Points]) -> None:
    assert reason(lines) == SIGN


@pytest.mark.parametrize(
    ("move", "found"), [((0, 0), SIGN), ((-80, 0), EDGE), ((70, 0), EDGE), ((0, 55), EDGE)]
)
def test_a_sign_at_the_edge_may_be_cut_off(move: tuple[int, int], found: str) -> None:
    ink = drawn([[(x + move[0], y + move[1]) for x, y in line] for line in A])
    assert reason_in_picture(rejection_reason(normalize(ink)), ink) == found


@pytest.mark.parametrize("reason", [None, DOT, MERGED, SEVERAL])
def test_the_edge_is_no_reason_beside_a_better_one(reason: str | None) -> None:
    assert reason_in_picture(reason, np.full((50, 50), 255, np.uint8)) == reason


def test_a_scribble_merges() -> None:
    zigzag = [(40.0 + 200 * (turn % 2), 40.0 + 10 * turn) for turn in range(20)]
    assert reason([zigzag]) == MERGED
    assert rejection_reason(normalize(np.full((100, 100), 255, np.uint8))) == MERGED


@pytest.mark.parametrize("digit", [2, 3, 4, 5, 8])
def test_a_brush_that_is_too_thick_merges_strokes(digit: int) -> None:
    assert reason(STROKES[digit], 60) == MERGED


@pytest.mark.parametrize("lines", [A, E, PLUS, EQUALS, BRACKET, *STROKES.values()])
@pytest.mark.parametrize("width", [10, 20, 28])
def test_clear_strokes_are_a_sign(lines: list[Points], width: float) -> None:
    assert reason(lines, width) == SIGN


def test_specks_are_no_digits() -> None:
    ink = drawn(STROKES[3])
    ink[10:14, 20:24] = ink[250:254, 200:204] = 255
    assert rejection_reason(normalize(ink)) == SIGN


@pytest.mark.parametrize("level", [0, 127])
def test_an_image_without_ink_has_a_reason(level: int) -> None:
    assert rejection_reason(np.full((28, 28), level, np.uint8)) == SIGN


def test_any_image_has_a_reason() -> None:
    rng = np.random.default_rng(0)
    for share in (0.01, 0.1, 0.5, 0.9, 1.0):
        image: NDArray[np.uint8] = np.where(rng.random((28, 28)) < share, 255, 0).astype(np.uint8)
        assert rejection_reason(image) in (DOT, MERGED, SEVERAL, SIGN)
