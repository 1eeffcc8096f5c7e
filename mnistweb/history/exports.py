"""The log as files, piece by piece as it is read: CSV for spreadsheets, JSON lines for programs."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mnistweb.database.models import Prediction
from mnistweb.predictions.serializers import item

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


def csv_pieces(batches: Batches) -> Iterator[str]:
    """A header and a line for each prediction (RFC 4180)."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows(map(_cells, batch))
        yield file.getvalue()
        file.seek(0)
        file.truncate()


def json_pieces(batches: Batches) -> Iterator[str]:
    """A line for each prediction: what the API says of it, with its strokes and its 784 pixels.

    `input` is the 28x28 picture that the network saw, row by row, 0 (ground) to 255 (ink).
    """
    for batch in batches:
        yield "".join(f"{json.dumps(_whole(prediction))}\n" for prediction in batch)


def _whole(prediction: Prediction) -> dict[str, Any]:
    return {**item(prediction), "strokes": prediction.strokes, "input": list(prediction.input)}


def _cells(prediction: Prediction) -> list[Any]:
    probabilities = enumerate(prediction.probabilities)
    found = {**item(prediction), **{f"probability_{digit}": share for digit, share in probabilities}}
    return [escape_formula(found[name]) for name in COLUMNS]


def escape_formula(value: Any) -> Any:
    """Escape a text that a spreadsheet would run as a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
