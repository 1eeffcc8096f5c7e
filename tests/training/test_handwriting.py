"""Ways of writing a digit, and letters whose shape decides."""

from typing import Any

import numpy as np
import pytest
import torch

from mnistweb.training import handwriting
from mnistweb.training.data import Images
from mnistweb.training.data_mix import TrainingData
from mnistweb.training.shapes import decide_by_shape
from mnistweb.training.symbols import resample
from tests.support.drawings import STROKES

ONE = (np.array([[5.0, 0.0], [5.0, 10.0]]),)


def strokes(digit: int) -> Any:
    """Return a digit's strokes, with points as close as a pen's."""
    return tuple(resample(np.array(stroke, float), 5) for stroke in STROKES[digit])


def extent(drawing: Any) -> Any:
    """Return width and height."""
    return np.ptp(np.concatenate(drawing), axis=0)


@pytest.mark.parametrize(
    ("digit", "write"), [(0, handwriting.slash), (7, handwriting.bar)], ids=["slashed", "barred"]
)
def test_one_stroke_is_added_across_the_digit(digit: int, write: Any) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        *before, added = write(strokes(digit), rng)
        assert len(before) == len(strokes(digit))
        height = np.concatenate(before)[:, 1]
        assert height.min() < added[:, 1].mean() < height.max()


def test_one_gets_a_flag_at_its_top_and_a_foot_at_its_bottom() -> None:
    rng = np.random.default_rng(0)
    flag, foot = handwriting.flag(ONE, rng)[-1], handwriting.foot(ONE, rng)[-1]
    assert flag[:, 1].max() < 7
    assert flag[0, 0] < 5
    assert foot[:, 1] == pytest.approx([10] * len(foot), abs=0.5)
    wide = (np.array([[0.0, 0.0], [10.0, 10.0]]),)
    assert handwriting.flag(wide, rng) is handwriting.foot(wide, rng) is wide


def test_hook_begins_below_the_top_of_the_seven() -> None:
    first = handwriting.hook(strokes(7), np.random.default_rng(0))[0]
    assert first[0, 1] > strokes(7)[0][0, 1]


def test_looped_seven_crosses_itself_above_its_stem() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        written, *bars = handwriting.loop(strokes(7), rng)
        assert len(bars) <= 1
        top, right = written[:, 1].argmin(), written[:, 0].argmax()
        assert 0 < right < len(written) - 8
        assert 0 <= top < len(written) - 8
        assert written[-1, 1] == pytest.approx(np.concatenate(strokes(7))[:, 1].max())


def test_straight_lines_keep_ends_and_size() -> None:
    for digit in range(10):
        drawn = handwriting.straighten(strokes(digit), np.random.default_rng(digit))
        assert extent(drawn) == pytest.approx(extent(strokes(digit)), rel=0.25)
        for stroke, straight in zip(strokes(digit), drawn, strict=True):
            assert straight[0] == pytest.approx(stroke[0])
            assert straight[-1] == pytest.approx(stroke[-1])


def test_each_digit_has_its_own_segments() -> None:
    assert len({handwriting.LIT[digit] for digit in range(10)}) == 10
    for digit in range(10):
        assert len(handwriting.segments(digit, np.random.default_rng(0))) == len(handwriting.LIT[digit])


def test_most_digits_are_rewritten_as_they_are() -> None:
    rng = np.random.default_rng(0)
    same = [np.array_equal(handwriting.rewrite(strokes(0), 0, rng)[0], strokes(0)[0]) for _ in range(200)]
    assert 0.6 < np.mean(same) < 1


def test_shape_decides_about_look_alikes() -> None:
    def pool(levels: list[int]) -> Images:
        images = torch.tensor(levels, dtype=torch.uint8).reshape(-1, 1, 1).expand(-1, 28, 28)
        return Images(images, torch.full((len(levels),), 10), tuple(map(str, levels)))

    class ByLevel(torch.nn.Module):
        """Says "not a digit" with the probability that the grey level is, and else a zero."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            level = images.mean(dim=(1, 2, 3)).clamp(1e-4, 1 - 1e-4)
            logits = torch.full((len(images), 11), -50.0)
            logits[:, 10], logits[:, 0] = level.log(), (1 - level).log()
            return logits

    data = TrainingData(pool([1]), pool([1]), pool([5, 128, 250]), pool([5, 128, 250]), {})
    decided = decide_by_shape(data, ByLevel())
    assert decided.not_digits.kinds == ("128", "250", "250")
    assert decided.drawings is data.drawings
