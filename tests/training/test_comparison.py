"""The replay of drawings through two versions of a model."""

from uuid import uuid4

import pytest
import torch
from torch import Tensor, nn

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.comparison import Counts, Outcome
from mnistweb.training import comparison, test_sets
from mnistweb.training.calibration import Calibration
from mnistweb.training.comparison import Contender, ReplaySet, compare, frozen_sets, in_batches, mcnemar
from mnistweb.training.data import Images

SURE, DOUBT = 20.0, 1.0
"""Logits of a sure answer and of one in doubt."""


class Scripted(nn.Module):
    """Answers an image by its first pixel: the class, and in the second pixel whether it is sure."""

    def __init__(self, answers: dict[int, tuple[int, float]]) -> None:
        super().__init__()
        self.answers = answers

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 11)
        for row, image in zip(logits, images, strict=True):
            answer, strength = self.answers[int(image[0, 0])]
            row[answer] = strength
        return logits


def contender(version: str, answers: dict[int, tuple[int, float]]) -> Contender:
    return Contender("cnn", version, Scripted(answers), Calibration(1.0, Boundaries(0.9, 0.5)))


def drawings(*labels: int, kinds: tuple[str, ...] = ()) -> Images:
    """Return an image for each label, with its number in the first pixel."""
    images = torch.zeros((len(labels), 28, 28), dtype=torch.uint8)
    images[:, 0, 0] = torch.arange(len(labels))
    return Images(images, torch.tensor(labels), kinds or ("drawing",) * len(labels))


LABELS = (3, 3, 3, 5, 10, 10)
OLD = contender("1", {0: (3, SURE), 1: (8, SURE), 2: (10, SURE), 3: (5, DOUBT), 4: (10, SURE), 5: (0, DOUBT)})
NEW = contender("2", {0: (3, SURE), 1: (3, DOUBT), 2: (2, SURE), 3: (5, SURE), 4: (7, SURE), 5: (10, SURE)})


@pytest.mark.parametrize("batch", [1, 4, 500])
def test_answers_are_counted_whatever_the_batches(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "BATCH", batch)
    images = drawings(*LABELS, kinds=("a", "a", "b", "b", "b", "b"))
    [result] = compare(OLD, NEW, [ReplaySet("ways", "ways", True, in_batches(images))]).sets
    answers = result.answers
    assert answers.old == Counts(right=3, wrong=2, refused=2, doubtful=2, sure_wrong=1)
    assert answers.new == Counts(right=4, wrong=2, refused=1, doubtful=1, sure_wrong=2)
    assert (answers.count, answers.only_old, answers.only_new) == (6, 1, 2)
    assert {name: each.count for name, each in result.parts.items()} == {"3": 3, "5": 1, "not a digit": 2}
    assert {name: each.new.right for name, each in result.kinds.items()} == {"a": 2, "b": 2}
    assert result.old_calibration_error is not None
    assert 0 < result.old_calibration_error < 1


def test_drawings_that_are_read_differently_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [uuid4() for _ in LABELS]
    made = compare(OLD, NEW, [ReplaySet("reviewed", "reviewed", False, [(drawings(*LABELS), ids)])])
    shown = {each.drawing: each for each in made.disagreements}
    assert {ids.index(each.drawing): each.outcome for each in made.disagreements if each.drawing} == {
        1: Outcome.REPAIRED,
        2: Outcome.OTHERWISE,
        4: Outcome.SPOILT,
        5: Outcome.REPAIRED,
    }
    assert (shown[ids[4]].truth, shown[ids[4]].old.digit, shown[ids[4]].new.digit) == (None, None, 7)
    assert shown[ids[1]].new.certainty == "doubtful"
    assert shown[ids[1]].image.startswith("data:image/png;base64,")
    monkeypatch.setattr(comparison, "MAX_SHOWN", 1)
    made = compare(OLD, NEW, [ReplaySet("reviewed", "reviewed", False, [(drawings(*LABELS), ids)])])
    assert [each.drawing for each in made.disagreements] == [ids[1], ids[4], ids[2]]


def test_set_without_a_drawing_is_left_out() -> None:
    made = compare(OLD, NEW, [ReplaySet("reviewed", "reviewed", False, [])], ["A note."])
    assert (made.model, made.old, made.new, made.sets, made.notes) == ("cnn", "1", "2", (), ("A note.",))


def test_without_an_answered_digit_there_is_no_calibration_error() -> None:
    images = Images(torch.zeros((1, 28, 28), dtype=torch.uint8), torch.tensor([10]), ("drawing",))
    [result] = compare(OLD, NEW, [ReplaySet("none", "none", True, in_batches(images))]).sets
    assert (result.old_calibration_error, result.new_calibration_error) == (None, None)


def test_frozen_sets_are_known_by_their_content() -> None:
    one, other = drawings(3, 5), drawings(3, 6)
    sets = [*frozen_sets(test_sets.TestSets({"mnist_test": one, "drawings_test": other}, drawings(10), one))]
    assert [each.name for each in sets] == ["mnist_test", "drawings_test", "ways", "not_digits"]
    digests = [each.digest for each in sets]
    assert digests[0] == digests[2]
    assert len(set(digests)) == 3
    assert all(each.frozen for each in sets)


@pytest.mark.parametrize(
    ("only_old", "only_new", "p"),
    [(0, 0, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (3, 3, 1.0), (1, 9, 22 / 1024)],
)
def test_mcnemar(only_old: int, only_new: int, p: float) -> None:
    assert mcnemar(only_old, only_new) == pytest.approx(p)
