"""Labelled drawings of a site as training data."""

import numpy as np
import pytest
import torch

from mnistweb.training import reviewed
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import DataFileError
from mnistweb.training.reviewed import Drawn, redraw_all, similarity, split_drawings
from tests.support.drawings import STROKES


def drawn(number: int, writer: int = 1, test: bool = False, strokes: bool = False) -> Drawn:
    """Return a drawing that resembles no other."""
    image = np.random.default_rng(number).integers(0, 2, (28, 28), np.uint8) * 255
    points = tuple(np.array(stroke, float) for stroke in STROKES[number % 10]) if strokes else ()
    return Drawn(str(number), image, number % 10, writer, test, points)


def test_nobody_is_in_two_parts() -> None:
    every = [drawn(n, writer=n // 4, test=n // 4 % 5 == 0) for n in range(160)]
    split = split_drawings(every)
    writers = [{each.writer for each in part} for part in (split.train, split.choice, split.test)]
    assert all(writers)
    assert sum(map(len, writers)) == len(set.union(*writers)) == 40
    assert len(split.train) + len(split.choice) + len(split.test) == 160
    assert split.near_duplicates == 0


def test_a_writer_stays_where_they_are_when_others_come() -> None:
    few, more = ([drawn(n, writer=n) for n in range(count)] for count in (20, 60))
    assert {each.writer for each in split_drawings(few).choice} <= {
        each.writer for each in split_drawings(more).choice
    }


def test_drawings_like_one_of_the_tests_are_left_out() -> None:
    faint = Drawn("faint", drawn(1).image // 2, 1, 2)
    nearly = drawn(2).image.copy()
    nearly[0] = 255
    known = Images(torch.from_numpy(drawn(3).image)[None], torch.tensor([3]), ("mnist",))
    others = [faint, Drawn("nearly", nearly, 2, 3), drawn(3, 4), drawn(4, 4)]
    split = split_drawings([drawn(1, 1, test=True), drawn(2, 1, test=True), *others], [known])
    assert split.near_duplicates == 3
    assert [each.id for each in (*split.train, *split.choice)] == ["4"]


@pytest.mark.parametrize("number", range(40))
def test_a_network_learns_from_the_only_writer(number: int) -> None:
    split = split_drawings([drawn(n, writer=number) for n in range(3)])
    assert (len(split.train), len(split.choice)) == (3, 0)


def test_without_a_drawing_to_learn_from_it_says_so() -> None:
    with pytest.raises(DataFileError, match="nearly is a test drawing"):
        split_drawings([drawn(1, 1, test=True), drawn(1, 2)])


def test_similarity_without_others() -> None:
    images = torch.from_numpy(drawn(1).image)[None]
    assert similarity(images, images[:0]) == [-1.0]
    assert similarity(images[:0], images) == []
    assert similarity(images, images) == pytest.approx([1.0])


def test_drawings_with_strokes_are_redrawn_and_pictures_repeated() -> None:
    several = [drawn(1, strokes=True), drawn(2)]
    images, weights = redraw_all(several)
    assert len(images) == len(weights) == 2 + reviewed.MAX_COPIES
    assert images.labels.tolist() == [1, 2] + [1] * reviewed.MAX_COPIES
    assert torch.equal(images.images[1], torch.from_numpy(several[1].image))
    assert len({image.numpy().tobytes() for image in images.images}) == len(images)
    assert weights[images.labels == 1].sum() == pytest.approx(weights[images.labels == 2].sum())
    again, _ = redraw_all(several)
    assert torch.equal(again.images, images.images)


def test_redrawings_are_fewer_for_many_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewed, "MAX_REDRAWN", 6)
    images, _ = redraw_all([drawn(n, strokes=True) for n in range(3)])
    assert len(images) == 3 + 6


def test_a_busy_writer_does_not_drown_the_others() -> None:
    images, weights = redraw_all([*(drawn(n, writer=1) for n in range(100)), drawn(200, writer=2)])
    assert weights[:100].sum() / weights[100] == pytest.approx(10)
    assert len(images) == 101


def test_without_a_drawing_there_is_nothing() -> None:
    images, weights = redraw_all([])
    assert (len(images), len(weights)) == (0, 0)
