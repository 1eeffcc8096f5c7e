"""Comparisons of two versions of a model: their answers to the same drawings, side by side, and the verdict.

A digit counts as right if the answer is that digit, in doubt or not. Anything else counts as right if it is
refused. So the counts are of what visitors would have been told.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from math import sqrt
from typing import Any
from uuid import UUID

from mnistweb.formatting import percent
from mnistweb.proportion import Proportion

FORMAT = 1
REVIEWED = "reviewed"
"""The name of the set of reviewed drawings."""
SIGNIFICANT = 0.05
MARGIN = 0.01
"""The usual margin: how much worse a version may be on a frozen set, as a share of its drawings."""


class ComparisonError(ValueError):
    """A text is not a comparison that this site could have written."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one version's answers to a set.

    `right` and `wrong` leave out digits that were refused. `sure_wrong` counts those of `wrong` that were no
    answer in doubt.
    """

    right: int
    wrong: int
    refused: int
    doubtful: int
    sure_wrong: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The new version's share of right answers less the old one's, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Both versions' answers to the same drawings, and how many only one of the two got right."""

    count: int
    old: Counts
    new: Counts
    only_old: int
    only_new: int

    @property
    def old_right(self) -> Proportion:
        """The old version's share of right answers."""
        return Proportion(self.old.right, self.count)

    @property
    def new_right(self) -> Proportion:
        """The new version's share of right answers."""
        return Proportion(self.new.right, self.count)

    @property
    def difference(self) -> Difference:
        """The difference with Newcombe's interval for paired proportions.

        R. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
        paired data", Statistics in Medicine 17 (1998) 2635-2650, method 10.
        """
        if not self.count:
            return Difference(0.0, -1.0, 1.0)
        new, old = self.new_right, self.old_right
        value = (self.only_new - self.only_old) / self.count
        (new_low, new_high), (old_low, old_high) = new.interval, old.interval
        below, above = (
            (new.value - new_low, old_high - old.value),
            (new_high - new.value, old.value - old_low),
        )
        return Difference(value, value - self._span(*below), value + self._span(*above))

    def _span(self, first: float, second: float) -> float:
        square = first**2 - 2 * self._correlation() * first * second + second**2
        return sqrt(max(square, 0.0))

    def _correlation(self) -> float:
        """Return the correlation of both versions' right answers, corrected for continuity if positive."""
        both = self.new.right - self.only_new
        neither = self.count - both - self.only_new - self.only_old
        margins = (self.new.right, self.count - self.new.right, self.old.right, self.count - self.old.right)
        if not all(margins):
            return 0.0
        product: float = both * neither - self.only_new * self.only_old
        if product > 0:
            product = max(product - self.count / 2, 0)
        return float(product / sqrt(margins[0] * margins[1] * margins[2] * margins[3]))


@dataclass(frozen=True, slots=True)
class SetResult:
    """A set of drawings and both versions' answers to it.

    A `frozen` set is the same in every comparison, as its `digest` shows. `p` is that of McNemar's exact
    test. The calibration errors are None without an answered digit. `parts` are by digit, and "not a digit".
    `kinds` are by the kind of drawing, if there are several.
    """

    name: str
    title: str
    frozen: bool
    answers: Paired
    p: float
    old_calibration_error: float | None
    new_calibration_error: float | None
    parts: Mapping[str, Paired] = field(default_factory=dict)
    kinds: Mapping[str, Paired] = field(default_factory=dict)
    digest: str = ""

    @property
    def n(self) -> int:
        """The number of drawings."""
        return self.answers.count

    @property
    def better(self) -> bool:
        """Return whether the new version is better, and not by chance alone."""
        return self.answers.only_new > self.answers.only_old and self.p < SIGNIFICANT

    @property
    def worse(self) -> bool:
        """Return whether the new version is worse, and not by chance alone."""
        return self.answers.only_new < self.answers.only_old and self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer to one drawing: the digit, None for "not a digit", its certainty and confidence 0..1."""

    digit: int | None
    certainty: str
    confidence: float


class Outcome(StrEnum):
    """Outcomes for a drawing that two versions read differently."""

    REPAIRED = "repaired"
    SPOILT = "spoilt"
    OTHERWISE = "otherwise"  # wrong before and after


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A drawing that the versions read differently; `truth` None is "not a digit".

    A drawing of the log is named by its id, so that its picture goes when it is deleted. `image` is a data
    URL. The JSON holds it for drawings of the frozen sets alone.
    """

    set: str
    truth: int | None
    old: Reading
    new: Reading
    image: str = ""
    drawing: UUID | None = None

    @property
    def outcome(self) -> Outcome:
        """The outcome with the new version."""
        if self.new.digit == self.truth:
            return Outcome.REPAIRED
        return Outcome.SPOILT if self.old.digit == self.truth else Outcome.OTHERWISE


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision whether a version may go live, and a sentence for each reason against it."""

    passes: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of a model on the same sets; `notes` are sentences on what could not be compared."""

    model: str
    old: str
    new: str
    compared_at: datetime
    sets: tuple[SetResult, ...]
    disagreements: tuple[Disagreement, ...] = ()
    notes: tuple[str, ...] = ()

    def set_named(self, name: str) -> SetResult | None:
        """Return the set of that name, None without one."""
        return next((each for each in self.sets if each.name == name), None)

    def decision(self, margin: float = MARGIN) -> Verdict:
        """Decide whether the new version may go live.

        It must be better on reviewed drawings, and on no frozen set worse by more than `margin`, a share of
        the set's drawings.
        """
        reasons = [*self._against_reviewed()]
        frozen = [each for each in self.sets if each.frozen]
        if not frozen:
            reasons.append("There is no frozen test set to show that it has not become worse.")
        for each in frozen:
            if each.answers.difference.value < -margin:
                loss = percent(-each.answers.difference.value, 2)
                reasons.append(f"On {each.title} it is worse by {loss}, more than {percent(margin, 2)}.")
        return Verdict(not reasons, tuple(reasons))

    def _against_reviewed(self) -> list[str]:
        reviewed = self.set_named(REVIEWED)
        if reviewed is None or not reviewed.n:
            return ["There are no reviewed drawings to show that it has become better."]
        if reviewed.better:
            return []
        answers = reviewed.answers
        return [
            f"On {reviewed.title} it is not shown to be better: {answers.only_new} of {reviewed.n} are right "
            f"only now, {answers.only_old} were right only before (p = {reviewed.p:.2g})."
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, with shares, intervals and the usual verdict to read."""
        verdict = self.decision()
        return {
            "format": FORMAT,
            "model": self.model,
            "old": self.old,
            "new": self.new,
            "compared_at": self.compared_at.isoformat(),
            "notes": list(self.notes),
            "sets": [_set_as_json(each) for each in self.sets],
            "disagreements": [_disagreement_as_json(each) for each in self.disagreements],
            "verdict": {"margin": MARGIN, **asdict(verdict)},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Comparison":
        """Parse the values of `as_json`. Raises ComparisonError."""
        try:
            if values["format"] != FORMAT:
                raise ComparisonError(f"a comparison of format {values['format']!r}, not {FORMAT}")
            return cls(
                str(values["model"]),
                str(values["old"]),
                str(values["new"]),
                datetime.fromisoformat(values["compared_at"]),
                tuple(parse_set(each) for each in values["sets"]),
                tuple(_parse_disagreement(each) for each in values["disagreements"]),
                tuple(map(str, values["notes"])),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ComparisonError(f"not a comparison of two versions ({error})") from error


def parse_comparison(text: str | bytes) -> Comparison:
    """Parse the file that `mnistweb models compare --json` writes. Raises ComparisonError."""
    try:
        return Comparison.from_json(json.loads(text))
    except ComparisonError:
        raise
    except ValueError as error:
        raise ComparisonError(f"not JSON ({error})") from error


def _set_as_json(result: SetResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "frozen": result.frozen,
        "digest": result.digest,
        **_paired_as_json(result.answers),
        "p": result.p,
        "old_calibration_error": result.old_calibration_error,
        "new_calibration_error": result.new_calibration_error,
        "parts": {name: _paired_as_json(each) for name, each in result.parts.items()},
        "kinds": {name: _paired_as_json(each) for name, each in result.kinds.items()},
    }


def _paired_as_json(paired: Paired) -> dict[str, Any]:
    shares = {"old": paired.old_right, "new": paired.new_right}
    return asdict(paired) | {
        "shares": {
            name: {"value": each.value, "low": each.interval[0], "high": each.interval[1]}
            for name, each in shares.items()
        },
        "difference": asdict(paired.difference),
    }


def _disagreement_as_json(each: Disagreement) -> dict[str, Any]:
    return asdict(each) | {
        "drawing": None if each.drawing is None else str(each.drawing),
        "image": "" if each.drawing else each.image,
    }


def parse_set(values: Mapping[str, Any]) -> SetResult:
    """Read one of the sets of `as_json`. Raises KeyError, TypeError or ValueError."""
    return SetResult(
        str(values["name"]),
        str(values["title"]),
        bool(values["frozen"]),
        _parse_paired(values),
        float(values["p"]),
        values["old_calibration_error"],
        values["new_calibration_error"],
        {name: _parse_paired(each) for name, each in values["parts"].items()},
        {name: _parse_paired(each) for name, each in values["kinds"].items()},
        str(values["digest"]),
    )


def _parse_paired(values: Mapping[str, Any]) -> Paired:
    paired = Paired(
        int(values["count"]),
        Counts(**values["old"]),
        Counts(**values["new"]),
        int(values["only_old"]),
        int(values["only_new"]),
    )
    both = paired.new.right - paired.only_new
    if (
        both != paired.old.right - paired.only_old
        or not 0 <= both + paired.only_old + paired.only_new <= paired.count
    ):
        raise ComparisonError("counts of right answers that contradict each other")
    return paired


def _parse_disagreement(values: Mapping[str, Any]) -> Disagreement:
    drawing = values["drawing"]
    return Disagreement(
        str(values["set"]),
        values["truth"],
        Reading(**values["old"]),
        Reading(**values["new"]),
        str(values["image"]),
        None if drawing is None else UUID(drawing),
    )
