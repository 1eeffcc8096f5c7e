"""The fields of a filter: each with its parameter in a query string, its schema, and its words."""

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from mnistweb.database.models import Source
from mnistweb.predictions.wording import with_article
from mnistweb.recognition.boundaries import Certainty

NONE = "none"
DIGITS = (*map(str, range(10)), NONE)


class Verdict(enum.StrEnum):
    """Result of comparing an answer with its label; LABELLED is either result."""

    RIGHT = "right"
    WRONG = "wrong"
    LABELLED = "labelled"
    UNLABELLED = "unlabelled"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a query string: its name, range in words, JSON Schema, parser and description.

    `parse` raises ValueError for a text outside the range; `words` describes a parsed value.
    """

    key: str
    range: str
    schema: dict[str, Any]
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


def _prompt(text: str) -> str:
    if text == NONE:
        raise ValueError(text)
    return _digit(text)


def _share(text: str) -> float:
    # `float` also accepts "nan", "1_0" and spaces.
    if not re.fullmatch(r"[0-9.eE+-]{1,32}", text, re.ASCII) or not 0 <= (share := float(text)) <= 1:
        raise ValueError(text)
    return share


def _day(text: str) -> date:
    # `fromisoformat` also accepts 20260131 and 2026-W05-6.
    if len(text) != 10 or "W" in text:
        raise ValueError(text)
    return date.fromisoformat(text)


def _text(description: str, **keywords: Any) -> dict[str, Any]:
    return {"type": "string", "description": description} | keywords


def _number(description: str, example: float) -> dict[str, Any]:
    return {"type": "number", "description": description, "minimum": 0, "maximum": 1, "examples": [example]}


def _label_words(text: str) -> str:
    return "not a digit" if text == NONE else text


def short_percent(share: float) -> str:
    """Format a share 0..1 without needless zeros: "90 %", "99.5 %"."""
    return f"{100 * share:.4g} %"


_A_DIGIT, _A_DAY = "a digit from 0 to 9, or none", "a day such as 2026-01-31"
_A_SHARE = "a number from 0 to 1"
_DAY = {"format": "date", "examples": ["2026-01-31"]}
SOURCES = {Source.SLATE: "drawn here", Source.UPLOAD: "uploaded", Source.API: "sent by API"}
CERTAINTIES = {
    Certainty.SURE: "sure",
    Certainty.DOUBTFUL: "in doubt",
    Certainty.NOT_A_DIGIT: "not a digit",
}
VERDICTS = {
    Verdict.LABELLED: "rated, right or wrong",
    Verdict.RIGHT: "right",
    Verdict.WRONG: "wrong",
    Verdict.UNLABELLED: "not rated",
}
FIELDS = {
    "mine": Field("mine", "1", _text("Only your own drawings.", enum=["1"]), _flag, lambda _: "your own"),
    "model": Field(
        "model",
        "the name of a model",
        _text("Only readings by this model.", maxLength=64, format="printable"),
        _model_name,
        lambda name: f"read by {name}",
    ),
    "digit": Field(
        "digit",
        _A_DIGIT,
        _text("Only drawings read as this digit; `none`: not a digit.", enum=[*DIGITS]),
        _digit,
        lambda digit: f"read as {_label_words(digit)}",
    ),
    "label": Field(
        "label",
        _A_DIGIT,
        _text("Only drawings with this label; `none`: not a digit.", enum=[*DIGITS]),
        _digit,
        lambda digit: f"really {_label_words(digit)}",
    ),
    "prompt": Field(
        "prompt",
        "a digit from 0 to 9",
        _text("Only drawings that a challenge asked for, of this digit.", enum=[*DIGITS[:10]]),
        _prompt,
        lambda digit: f"asked for {with_article(int(digit))}",
    ),
    "verdict": Field(
        "verdict",
        "right, wrong, labelled or unlabelled",
        _text(
            "Only answers that were right, or wrong; `labelled`: either; `unlabelled`: neither.",
            enum=[*map(str, Verdict)],
        ),
        Verdict,
        VERDICTS.__getitem__,
    ),
    "certainty": Field(
        "certainty",
        "sure, doubtful or not_a_digit",
        _text(
            "Only digits that are sure, or in doubt; `not_a_digit`: the same as `digit=none`.",
            enum=[*map(str, Certainty)],
        ),
        Certainty,
        CERTAINTIES.__getitem__,
    ),
    "refused": Field(
        "refused",
        "1",
        _text("The former name of `digit=none`.", enum=["1"], deprecated=True),
        _flag,
        lambda _: "read as not a digit",
    ),
    "confidence_min": Field(
        "confidence_min",
        _A_SHARE,
        _number("Only answers with at least this confidence.", 0.9),
        _share,
        lambda share: f"at least {short_percent(share)} sure",
    ),
    "confidence_below": Field(
        "confidence_below",
        _A_SHARE,
        _number("Only answers with less than this confidence.", 0.7),
        _share,
        lambda share: f"less than {short_percent(share)} sure",
    ),
    "source": Field(
        "source",
        "slate, upload or api",
        _text("Only drawings from this source.", enum=[*map(str, Source)]),
        Source,
        SOURCES.__getitem__,
    ),
    "first": Field(
        "from",
        _A_DAY,
        _text("Only drawings of this day (in UTC) and later days.", **_DAY),
        _day,
        lambda day: f"from {day} (UTC)",
    ),
    "last": Field(
        "to",
        _A_DAY,
        _text("Only drawings of this day (in UTC) and earlier days.", **_DAY),
        _day,
        lambda day: f"to {day} (UTC)",
    ),
}
"""The fields by their names in Filter."""
