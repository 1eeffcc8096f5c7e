"""Entries of a log file: a drawing with all that the log has of it, checked when it is read.

An entry is a JSON object. `prediction` has the columns of that table, `decisions` those of its review.
`challenge` is the one in which it was drawn, or null.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

from sqlalchemy import Table

from mnistweb.database.models import Challenge, Decision, Prediction, ReviewDecision
from mnistweb.datasets.column_values import from_json
from mnistweb.predictions.images import MAX_STORED_SIDE
from mnistweb.predictions.strokes import check_strokes
from mnistweb.recognition.png import SIGNATURE, is_own
from mnistweb.recognition.types import SIDE

MAX_LINE = 4 * 1024**2
"""Bytes of an entry: a drawing has at most 0.4 MiB in base64, its strokes 1 MiB (before version 0.4: 1.4)."""
MAX_DECISIONS = 1_000
MAX_PROMPTS = 100
CLOCKS = timedelta(days=1)
"""The most that the clock of the other site may be ahead."""
PREDICTION, REVIEW_DECISION, CHALLENGE = (
    cast(Table, model.__table__) for model in (Prediction, ReviewDecision, Challenge)
)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
DIGIT_COLUMNS = ("digit", "label", "prompt", "truth", "truth_before")
SHARE_COLUMNS = ("confidence", "not_a_digit")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A drawing of another log: rows of its tables, with their values checked."""

    prediction: Row
    decisions: list[Row]
    challenge: Row | None


def parse_entry(line: bytes) -> Entry:
    """Read an entry, and check each value. Raises ValueError, which says what is wrong."""
    if len(line) > MAX_LINE:
        raise ValueError(f"more than {MAX_LINE:,} bytes")
    try:
        fields = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(fields, dict) or not fields.keys() >= {"prediction", "decisions", "challenge"}:
        raise ValueError("not a drawing")
    prediction = _row(PREDICTION, fields["prediction"])
    _check_prediction(prediction)
    return Entry(
        prediction,
        _decisions(fields["decisions"], prediction),
        _challenge(fields["challenge"], prediction),
    )


def _row(table: Table, fields: Any) -> Row:
    """Return a row of a table. A column that an older version lacks gets its default."""
    if not isinstance(fields, dict):
        raise ValueError(f"no {table.name}")
    if unknown := fields.keys() - table.columns.keys():
        raise ValueError(f"a newer version made it: {min(unknown)!r:.40} is unknown")
    row = {}
    for column in table.columns:
        if column.name not in fields and column.default is not None:
            row[column.name] = getattr(column.default, "arg", None)
            continue
        try:
            row[column.name] = from_json(column, fields.get(column.name))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{table.name}.{column.name}: {error}") from None
    for name in (*DIGIT_COLUMNS, *SHARE_COLUMNS):
        if (value := row.get(name)) is not None and not 0 <= value <= (9 if name in DIGIT_COLUMNS else 1):
            raise ValueError(f"{table.name}.{name}: it is out of range")
    return row


def _check_prediction(row: Mapping[str, Any]) -> None:
    _require(bool(row["visitor"] and row["model"]), "it has no visitor or no model")
    _require(EARLIEST <= row["created_at"] <= datetime.now(UTC) + CLOCKS, "its time cannot be")
    _require(len(row["input"]) == SIDE * SIDE, "the input is not 28 x 28 pixels")
    _require(is_drawing(row["drawing"]), "the drawing is not a PNG file of this site")
    _require(_are_probabilities(row["probabilities"]), "these are not ten probabilities")
    _require(not row["doubtful"] or row["digit"] is not None, "there is no digit to doubt")
    _require(0 <= row["recognition_ms"] < 1e9, "the time of the answer is out of range")
    _require(row["label"] is None or row["labelled_at"] is not None, "a label without its time")
    _require(_fits(row["decision"], row["truth"]), "decision and truth contradict each other")
    for name in ("request_key", "request_content"):
        _require(len(row[name] or b"") <= 32, "the key of a request is too long")
    if row["strokes"] is not None:
        check_strokes(row["strokes"], MAX_LINE)


def is_drawing(png: bytes) -> bool:
    """Return whether this is a drawing as the site stores it; a large one is not unpacked."""
    if not png.startswith(SIGNATURE) or len(png) < 24:
        return False
    return all(0 < side <= MAX_STORED_SIDE for side in struct.unpack_from(">II", png, 16)) and is_own(png)


def _decisions(given: Any, prediction: Row) -> list[Row]:
    if not isinstance(given, list) or len(given) > MAX_DECISIONS:
        raise ValueError("its decisions are no list, or too many")
    rows = [_row(REVIEW_DECISION, each) for each in given]
    for row in rows:
        _require(row["prediction_id"] == prediction["id"], "a decision on another drawing")
        _require(_fits(row["decision"], row["truth"]), "decision and truth contradict each other")
    return rows


def _challenge(given: Any, prediction: Row) -> Row | None:
    if given is None:
        return None
    row = _row(CHALLENGE, given)
    own = row["id"] == prediction["challenge"] and row["visitor"] == prediction["visitor"]
    _require(own, "the challenge of another drawing")
    prompts = row["prompts"]
    _require(
        isinstance(prompts, list)
        and len(prompts) <= MAX_PROMPTS
        and all(type(each) is int and 0 <= each <= 9 for each in prompts),
        "the prompts are no digits",
    )
    return row


def _are_probabilities(given: Any) -> bool:
    if not isinstance(given, list) or len(given) != 10:
        return False
    return all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and 0 <= each <= 1 for each in given
    )


def _fits(decision: Decision | None, truth: int | None) -> bool:
    return (decision is Decision.DIGIT) == (truth is not None)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
