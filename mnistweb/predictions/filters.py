"""Filters of the history: parsed from a query string, as SQL conditions, and as words."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, false

from mnistweb.database.models import Prediction, Source
from mnistweb.recognition.errors import UserError

NONE = "none"
DIGITS = (*map(str, range(10)), NONE)


class Verdict(enum.StrEnum):
    """Result of comparing an answer with its label."""

    RIGHT = "right"
    WRONG = "wrong"
    UNLABELLED = "unlabelled"


@dataclass(frozen=True, slots=True)
class Filter:
    """Criteria of a listing; a field that is None or false is no criterion.

    `digit` is the answer and `label` the author's feedback: "0".."9", or "none" for no digit. `first` and
    `last` are days in UTC, both included.
    """

    mine: bool = False
    model: str | None = None
    digit: str | None = None
    label: str | None = None
    verdict: Verdict | None = None
    refused: bool = False
    source: Source | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self, visitor: str) -> list[ColumnElement[bool]]:
        """Return the conditions of a query. `visitor` is the visitor who asks, for `mine`."""
        if self._is_contradictory():
            return [false()]
        conditions: list[ColumnElement[bool]] = []
        if self.mine:
            conditions.append(Prediction.visitor == visitor)
        if self.model is not None:
            conditions.append(Prediction.model == self.model)
        if self.digit is not None:
            conditions.append(_is_digit(Prediction.digit, self.digit))
        if self.label is not None:
            # The label is null both without feedback and for "no digit".
            conditions += [Prediction.labelled_at.is_not(None)] if self.label == NONE else []
            conditions.append(_is_digit(Prediction.label, self.label))
        if self.verdict is not None:
            conditions += _verdict_conditions(self.verdict)
        if self.refused:
            conditions.append(Prediction.digit.is_(None))
        if self.verdict is Verdict.WRONG and (self.refused or self.digit == NONE):
            # Implied by the other conditions, but PostgreSQL matches the partial index only by this one.
            conditions.append(Prediction.label.is_not(None))
        if self.source is not None:
            conditions.append(Prediction.source == self.source)
        if self.first is not None:
            conditions.append(Prediction.created_at >= datetime.combine(self.first, time.min, UTC))
        if self.last is not None:
            conditions.append(Prediction.created_at <= datetime.combine(self.last, time.max, UTC))
        return conditions

    def _is_contradictory(self) -> bool:
        # A database would scan all rows that meet one half before it finds nothing.
        if self.refused and self.digit not in (None, NONE):
            return True
        if self.label is None:
            return False
        digit = NONE if self.refused else self.digit
        may_equal = digit is None or digit == self.label
        may_differ = digit != self.label
        return not {
            Verdict.RIGHT: may_equal,
            Verdict.WRONG: may_differ,
            Verdict.UNLABELLED: False,
            None: True,
        }[self.verdict]

    def query(self) -> dict[str, str]:
        """Return the parameters of a query string; `parse_filter` is the inverse."""
        given = {field.key: getattr(self, name) for name, field in FIELDS.items()}
        return {key: "1" if value is True else str(value) for key, value in given.items() if value}

    def words(self, titles: Mapping[str, str]) -> list[str]:
        """Describe each criterion in a few words; `titles` are the models' titles by name."""
        shown = replace(self, model=titles.get(self.model, self.model) if self.model else None)
        return [FIELDS[name].words(value) for name in FIELDS if (value := getattr(shown, name))]


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


@dataclass(frozen=True, slots=True)
class _Field:
    key: str  # in a query string
    range: str
    schema: dict[str, Any]  # of its text, in JSON Schema
    parse: Callable[[str], Any]
    words: Callable[[Any], str]


def _flag(text: str) -> bool:
    if text != "1":
        raise ValueError(text)
    return True


def _model_name(text: str) -> str:
    if len(text) > 64 or not text.isprintable():
        raise ValueError(text)
    return text


def _digit(text: str) -> str:
    if text not in DIGITS:
        raise ValueError(text)
    return text


def _day(text: str) -> date:
    # `fromisoformat` also accepts 20260131 and 2026-W05-6.
    if len(text) != 10 or "W" in text:
        raise ValueError(text)
    return date.fromisoformat(text)


def _text(description: str, **keywords: Any) -> dict[str, Any]:
    return {"type": "string", "description": description} | keywords


def _label_words(text: str) -> str:
    return "not a digit" if text == NONE else text


_A_DIGIT, _A_DAY = "a digit from 0 to 9, or none", "a day such as 2026-01-31"
SOURCES = {Source.SLATE: "drawn here", Source.UPLOAD: "uploaded", Source.API: "sent by API"}
VERDICTS = {Verdict.RIGHT: "right", Verdict.WRONG: "wrong", Verdict.UNLABELLED: "not rated"}
FIELDS = {
    "mine": _Field("mine", "1", _text("Only your own drawings.", enum=["1"]), _flag, lambda _: "your own"),
    "model": _Field(
        "model",
        "the name of a model",
        _text("Only readings by this model.", maxLength=64, format="printable"),
        _model_name,
        lambda name: f"read by {name}",
    ),
    "digit": _Field(
        "digit",
        _A_DIGIT,
        _text("Only drawings read as this digit; `none`: not a digit.", enum=[*DIGITS]),
        _digit,
        lambda digit: f"read as {_label_words(digit)}",
    ),
    "label": _Field(
        "label",
        _A_DIGIT,
        _text("Only drawings with this label; `none`: not a digit.", enum=[*DIGITS]),
        _digit,
        lambda digit: f"really {_label_words(digit)}",
    ),
    "verdict": _Field(
        "verdict",
        "right, wrong or unlabelled",
        _text("Only answers that were right, wrong, or never labelled.", enum=[*map(str, Verdict)]),
        Verdict,
        VERDICTS.__getitem__,
    ),
    "refused": _Field(
        "refused", "1", _text("Only rejected drawings.", enum=["1"]), _flag, lambda _: "refused"
    ),
    "source": _Field(
        "source",
        "slate, upload or api",
        _text("Only drawings from this source.", enum=[*map(str, Source)]),
        Source,
        SOURCES.__getitem__,
    ),
    "first": _Field(
        "from",
        _A_DAY,
        _text("Only drawings of this day (in UTC) and later days.", format="date", examples=["2026-01-31"]),
        _day,
        lambda day: f"from {day}",
    ),
    "last": _Field(
        "to",
        _A_DAY,
        _text("Only drawings of this day (in UTC) and earlier days.", format="date", examples=["2026-01-31"]),
        _day,
        lambda day: f"to {day}",
    ),
}


def _is_digit(column: Any, digit: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.is_(None) if digit == NONE else column == int(digit)
    return condition


def _verdict_conditions(verdict: Verdict) -> list[ColumnElement[bool]]:
    # The same text as in the partial indexes, because PostgreSQL matches it literally.
    if verdict is Verdict.UNLABELLED:
        return [Prediction.labelled_at.is_(None)]
    right = verdict is Verdict.RIGHT
    same = Prediction.digit.is_not_distinct_from if right else Prediction.digit.is_distinct_from
    return [Prediction.labelled_at.is_not(None), same(Prediction.label)]
