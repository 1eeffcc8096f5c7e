"""Replay of drawings through two versions of a model, in batches."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nlargest
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from torch import nn

from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.comparison import (
    Comparison,
    Counts,
    Disagreement,
    Outcome,
    Paired,
    Reading,
    SetResult,
)
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.training.calibration import Calibration, expected_calibration_error
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT
from mnistweb.training.readings import BATCH, Readings, read
from mnistweb.training.test_sets import DIGIT_SETS, TestSets

MAX_SHOWN = 40
"""Drawings shown of each set for each outcome."""
NONE = "not a digit"
Ids = Sequence[UUID] | None
Batch = tuple[Images, Ids]


@dataclass(frozen=True, slots=True)
class Contender:
    """A version of a model: its network as exported, and the calibration of its card."""

    model: str
    version: str
    served: nn.Module
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class ReplaySet:
    """Labelled drawings in batches, with their ids if they are of the log; see SetResult."""

    name: str
    title: str
    frozen: bool
    batches: Iterable[Batch]
    digest: str = ""


def compare(
    old: Contender, new: Contender, sets: Iterable[ReplaySet], notes: Sequence[str] = ()
) -> Comparison:
    """Read all sets with both versions. Sets without a drawing are left out."""
    results, shown = [], []
    for each in sets:
        replay = Replay(each, old, new)
        for images, ids in each.batches:
            replay.add(images, ids)
        if result := replay.result():
            results.append(result)
            shown += replay.shown()
    now = datetime.now(UTC).replace(microsecond=0)
    return Comparison(new.model, old.version, new.version, now, tuple(results), tuple(shown), tuple(notes))


def frozen_sets(sets: TestSets) -> Iterator[ReplaySet]:
    """Yield the frozen test sets."""
    named = {name: (title, sets.digits[name]) for name, title in DIGIT_SETS.items() if name in sets.digits}
    for name, title, images in (
        ("ways", "ways of writing", sets.ways),
        ("pictures", "people’s pictures", sets.pictures),
        ("not_digits", "what is not a digit", sets.not_digits),
    ):
        if images is not None:
            named[name] = (title, images)
    for name, (title, images) in named.items():
        digest = hashlib.sha256(images.images.numpy().tobytes() + images.labels.numpy().tobytes())
        yield ReplaySet(name, title, True, in_batches(images), digest.hexdigest()[:16])


def in_batches(images: Images) -> Iterator[Batch]:
    """Yield images in batches, without ids."""
    for start in range(0, len(images), BATCH):
        batch = slice(start, start + BATCH)
        yield Images(images.images[batch], images.labels[batch], images.kinds[batch]), None


@dataclass(frozen=True, slots=True)
class Answers:
    """One version's answers, each [n]. `digit` is 10 for "not a digit", as in `truth`."""

    digit: NDArray[np.int64]
    sure: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    @classmethod
    def of(cls, readings: Readings) -> "Answers":
        """Return the answers that visitors would see."""
        refused = readings.refused
        return cls(
            np.where(refused, NOT_A_DIGIT, readings.digits),
            readings.sure,
            np.where(refused, readings.not_a_digit, readings.confidence),
        )

    @classmethod
    def concatenate(cls, parts: Sequence["Answers"]) -> "Answers":
        """Concatenate the answers to batches."""
        return cls(
            np.concatenate([part.digit for part in parts]),
            np.concatenate([part.sure for part in parts]),
            np.concatenate([part.confidence for part in parts]),
        )

    def counts(self, truth: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Counts:
        """Count the answers to the chosen drawings [n]."""
        refused, right = self.digit == NOT_A_DIGIT, self.digit == truth
        wrong = ~right & ~refused
        masks = (right, wrong, refused, ~refused & ~self.sure, wrong & self.sure)
        return Counts(*(int((mask & chosen).sum()) for mask in masks))

    def calibration_error(self, truth: NDArray[np.int64]) -> float | None:
        """Return the expected calibration error of the answered digits; None without any."""
        answered = (self.digit != NOT_A_DIGIT) & (truth != NOT_A_DIGIT)
        if not answered.any():
            return None
        right = np.asarray(self.digit == truth)
        return expected_calibration_error(self.confidence[answered], right[answered])

    def reading(self, index: int) -> Reading:
        """Return the answer to a drawing."""
        digit = int(self.digit[index])
        none = digit == NOT_A_DIGIT
        certainty = Certainty.SURE if self.sure[index] else Certainty.DOUBTFUL
        return Reading(
            None if none else digit,
            Certainty.NOT_A_DIGIT if none else certainty,
            round(float(self.confidence[index]), 4),
        )


class Replay:
    """The replay of a set: keeps both versions' answers, and the pictures of a few drawings."""

    def __init__(self, replayed: ReplaySet, old: Contender, new: Contender) -> None:
        self._set = replayed
        self._contenders = (old, new)
        self._truth: list[NDArray[np.int64]] = []
        self._kinds: list[str] = []
        self._answers: tuple[list[Answers], list[Answers]] = ([], [])
        self._shown: dict[Outcome, list[Disagreement]] = {outcome: [] for outcome in Outcome}

    def add(self, images: Images, ids: Ids) -> None:
        """Read a batch with both versions."""
        truth: NDArray[np.int64] = images.labels.numpy()
        old, new = (Answers.of(read(each.served, images, each.calibration)) for each in self._contenders)
        self._truth.append(truth)
        self._kinds += images.kinds
        for kept, answers in zip(self._answers, (old, new), strict=True):
            kept.append(answers)
        for index in np.flatnonzero(old.digit != new.digit).tolist():
            label = int(truth[index])
            each = Disagreement(
                self._set.name,
                None if label == NOT_A_DIGIT else label,
                old.reading(index),
                new.reading(index),
                data_url(encode_png(images.images[index].numpy())),
                None if ids is None else ids[index],
            )
            self._shown[each.outcome].append(each)
        for outcome, found in self._shown.items():
            self._shown[outcome] = nlargest(MAX_SHOWN, found, key=_confidence_of_the_mistake)

    def shown(self) -> list[Disagreement]:
        """Return the drawings read differently whose mistakes were the most confident ones."""
        return [each for found in self._shown.values() for each in found]

    def result(self) -> SetResult | None:
        """Return the figures of the set; None without a drawing."""
        if not self._truth:
            return None
        truth, kinds = np.concatenate(self._truth), np.array(self._kinds)
        old, new = (Answers.concatenate(each) for each in self._answers)
        whole = _paired(truth, old, new, np.ones(len(truth), np.bool_))
        labels = {str(label) if label != NOT_A_DIGIT else NONE: truth == label for label in np.unique(truth)}
        named = {str(kind): kinds == kind for kind in dict.fromkeys(self._kinds)}
        return SetResult(
            self._set.name,
            self._set.title,
            self._set.frozen,
            whole,
            mcnemar(whole.only_old, whole.only_new),
            old.calibration_error(truth),
            new.calibration_error(truth),
            {name: _paired(truth, old, new, chosen) for name, chosen in labels.items()},
            {name: _paired(truth, old, new, chosen) for name, chosen in named.items()}
            if len(named) > 1
            else {},
            self._set.digest,
        )


def mcnemar(only_old: int, only_new: int) -> float:
    """Return the p-value of McNemar's exact test: is one version right more often than the other?

    The drawings that only one of two got right are as many heads and tails of a fair coin, if there is no
    difference. Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12 (1947) 153-157.
    """
    different = only_old + only_new
    return float(binomtest(only_new, different).pvalue) if different else 1.0


def _confidence_of_the_mistake(each: Disagreement) -> float:
    return each.old.confidence if each.outcome is Outcome.REPAIRED else each.new.confidence


def _paired(truth: NDArray[np.int64], old: Answers, new: Answers, chosen: NDArray[np.bool_]) -> Paired:
    before, after = old.digit == truth, new.digit == truth
    return Paired(
        int(chosen.sum()),
        old.counts(truth, chosen),
        new.counts(truth, chosen),
        int((before & ~after & chosen).sum()),
        int((after & ~before & chosen).sum()),
    )
