"""Export of predictions as streams: CSV for spreadsheets, JSON lines for programs."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mnistweb.database.models import Prediction
from mnistweb.predictions.serializers import serialize

Batches = Iterable[Sequence[Prediction]]
COLUMNS = (
    "id",
    "created_at",
    "source",
    "model",
    "model_version",
    "digit",
    "confidence",
    "not_a_digit",
    "reason",
    *(f"probability_{digit}" for digit in range(10)),
    "label",
    "labelled",
    "correct",
    "recognition_ms",
)


def csv_chunks(batches: Batches) -> Iterator[str]:
    """Yield CSV (RFC 4180): a header, then a line for each prediction."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows(map(_cells, batch))
        yield file.getvalue()
        file.seek(0)
        file.truncate()


def json_chunks(batches: Batches) -> Iterator[str]:
    """Yield a JSON line for each prediction: the fields of the API, `strokes`, and `input`.

    `input` is the recognizer's 28x28 image: 784 values row by row, 0 (background) to 255 (ink).
    """
    for batch in batches:
        yield "".join(f"{json.dumps(_with_input(prediction))}\n" for prediction in batch)


def _with_input(prediction: Prediction) -> dict[str, Any]:
    return {**serialize(prediction), "strokes": prediction.strokes, "input": list(prediction.input)}


def _cells(prediction: Prediction) -> list[Any]:
    fields: dict[str, Any] = {**serialize(prediction)}
    fields |= {f"probability_{digit}": value for digit, value in enumerate(prediction.probabilities)}
    return [escape_formula(fields[name]) for name in COLUMNS]


def escape_formula(value: Any) -> Any:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
