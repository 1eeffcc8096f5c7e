"""Filters of the history: parsed from a query string, as SQL conditions, and as words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, false, true

from mnistweb.database.models import Prediction, Source
from mnistweb.predictions.filter_fields import FIELDS, NONE, Verdict
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.errors import UserError

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Criteria of a listing; a field that is None or false is no criterion.

    `digit` is the answer and `label` the author's feedback: "0".."9", or "none" for no digit. `prompt` is the
    digit that a challenge asked for, "0".."9". `certainty` is
    that of the answer: without a digit it is NOT_A_DIGIT. A confidence is
    at least `confidence_min` and less than `confidence_below`. `first` and `last` are days in UTC, both
    included. `refused` is the former name of the digit "none"; it stays only beside another digit, which
    nothing meets.
    """

    mine: bool = False
    model: str | None = None
    digit: str | None = None
    label: str | None = None
    prompt: str | None = None
    verdict: Verdict | None = None
    certainty: Certainty | None = None
    refused: bool = False
    confidence_min: float | None = None
    confidence_below: float | None = None
    source: Source | None = None
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        """Replace the former name of the digit "none"."""
        if self.refused and self.digit in (None, NONE):
            object.__setattr__(self, "digit", NONE)
            object.__setattr__(self, "refused", False)

    def conditions(self, visitor: str) -> Conditions:
        """Return the conditions of a query. `visitor` is the visitor who asks, for `mine`."""
        if self.is_contradictory():
            return [false()]
        conditions: Conditions = []
        if self.mine:
            conditions.append(Prediction.visitor == visitor)
        if self.model is not None:
            conditions.append(Prediction.model == self.model)
        if self.answer is not None:
            conditions.append(_is_digit(Prediction.digit, self.answer))
        conditions += self.certainty_conditions()
        if self.label is not None:
            # The label is null both without feedback and for "no digit".
            conditions += [Prediction.labelled_at.is_not(None)] if self.label == NONE else []
            conditions.append(_is_digit(Prediction.label, self.label))
        if self.prompt is not None:
            conditions.append(Prediction.prompt == int(self.prompt))
        conditions += self.verdict_conditions()
        if self.verdict is Verdict.WRONG and self.answer == NONE:
            # Implied by the other conditions, but PostgreSQL matches the partial index only by this one.
            conditions.append(Prediction.label.is_not(None))
        conditions += self.confidence_conditions()
        if self.source is not None:
            conditions.append(Prediction.source == self.source)
        return [*conditions, *self.day_conditions()]

    @property
    def answer(self) -> str | None:
        """The digit that was read, "none" for no digit, or None for any answer."""
        return NONE if self.certainty is Certainty.NOT_A_DIGIT else self.digit

    def certainty_conditions(self) -> Conditions:
        """Return the conditions of a digit's certainty."""
        if self.certainty is Certainty.DOUBTFUL:
            return [Prediction.doubtful == true()]
        if self.certainty is Certainty.SURE:
            return [Prediction.digit.is_not(None), Prediction.doubtful == false()]
        return []

    def day_conditions(self) -> Conditions:
        """Return the conditions of the days alone."""
        conditions: Conditions = []
        if self.first is not None:
            conditions.append(Prediction.created_at >= datetime.combine(self.first, time.min, UTC))
        if self.last is not None:
            conditions.append(Prediction.created_at <= datetime.combine(self.last, time.max, UTC))
        return conditions

    def verdict_conditions(self) -> Conditions:
        """Return the conditions of the verdict alone."""
        # The same text as in the partial indexes, because PostgreSQL matches it literally.
        labelled = Prediction.labelled_at.is_not(None)
        conditions: dict[Verdict | None, Conditions] = {
            None: [],
            Verdict.LABELLED: [labelled],
            Verdict.RIGHT: [labelled, Prediction.digit.is_not_distinct_from(Prediction.label)],
            Verdict.WRONG: [labelled, Prediction.digit.is_distinct_from(Prediction.label)],
            Verdict.UNLABELLED: [Prediction.labelled_at.is_(None)],
        }
        return conditions[self.verdict]

    def confidence_conditions(self) -> Conditions:
        """Return the conditions of the confidence alone."""
        conditions: Conditions = []
        if self.confidence_min is not None:
            conditions.append(Prediction.confidence >= self.confidence_min)
        if self.confidence_below is not None:
            conditions.append(Prediction.confidence < self.confidence_below)
        return conditions

    def is_contradictory(self) -> bool:
        """Return whether two criteria rule each other out."""
        # A database would scan all rows that meet one half before it finds nothing.
        if self.refused:
            return True
        if self.confidence_below is not None and (self.confidence_min or 0) >= self.confidence_below:
            return True
        refused = self.certainty is Certainty.NOT_A_DIGIT
        if self.certainty is not None and self.digit is not None and refused != (self.digit == NONE):
            return True
        if self.label is None:
            return False
        may_equal = self._may_equal(self.label)
        may_differ = self.answer != self.label
        return not {
            Verdict.RIGHT: may_equal,
            Verdict.WRONG: may_differ,
            Verdict.LABELLED: True,
            Verdict.UNLABELLED: False,
            None: True,
        }[self.verdict]

    def _may_equal(self, label: str) -> bool:
        if self.answer is None:
            return label != NONE or self.certainty is None
        return self.answer == label

    def query(self) -> dict[str, str]:
        """Return the parameters of a query string; `parse_filter` is the inverse."""
        return {
            FIELDS[name].key: "1" if value is True else str(value) for name, value in self._given().items()
        }

    def words(self, titles: Mapping[str, str]) -> list[str]:
        """Describe each criterion in a few words; `titles` are the models' titles by name."""
        shown = replace(self, model=titles.get(self.model, self.model) if self.model else None)
        return [FIELDS[name].words(value) for name, value in shown._given().items()]

    def _given(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in values.items() if value is not None and value is not False}


def parse_filter(given: Mapping[str, str]) -> Filter:
    """Parse the parameters of a query string; missing and empty ones are no criterion.

    Raises UserError (invalid_filter) for any other value outside a parameter's range.
    """
    values: dict[str, Any] = {}
    for name, field in FIELDS.items():
        if text := given.get(field.key, ""):
            try:
                values[name] = field.parse(text)
            except ValueError:
                message = f"The filter “{field.key}” must be {field.range}."
                raise UserError("invalid_filter", message) from None
    return Filter(**values)


def _is_digit(column: Any, digit: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.is_(None) if digit == NONE else column == int(digit)
    return condition
