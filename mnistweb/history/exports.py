"""Exports of predictions as streams: CSV, JSON lines, and the file of pen strokes that training reads."""

import csv
import hmac
import io
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from mnistweb.database.models import Prediction
from mnistweb.predictions.queries import strokes_text
from mnistweb.predictions.serializers import drawing_line, serialize

Batches = Iterable[Sequence[Prediction]]
BLOCK = 64 * 1024
"""Characters that are sent together, at least."""
GZIP = zlib.MAX_WBITS | 16
"""The `wbits` of zlib for the gzip format."""
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
    "certainty",
    "prompt",
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
    """Yield a JSON line for each prediction: the fields of the API, `strokes`, and `input`."""
    block = ""
    for prediction in chain.from_iterable(batches):
        block += drawing_line(prediction)
        if len(block) > BLOCK:
            yield block
            block = ""
    yield block


def training_chunks(batches: Batches) -> Iterator[bytes]:
    """Yield a gzipped JSON list of labelled digits, in the form that `mnistweb train --strokes` reads.

    An entry is `{"label": 0..9, "writer": number, "strokes": [[[x, y], ...], ...]}`. Predictions without
    strokes, and those whose label is no digit, are left out. A writer has the same number within one file.
    """
    key = secrets.token_bytes()
    gzip = zlib.compressobj(wbits=GZIP)
    separator = "["
    for prediction in chain.from_iterable(batches):
        strokes = [[point[:2] for point in stroke["points"]] for stroke in _strokes(prediction)]
        if strokes and prediction.label is not None:
            entry = {"label": prediction.label, "writer": _writer(prediction, key), "strokes": strokes}
            yield gzip.compress(f"{separator}\n{json.dumps(entry)}".encode())
            separator = ","
    yield gzip.compress(b"[]\n" if separator == "[" else b"\n]\n") + gzip.flush()


def _strokes(prediction: Prediction) -> list[dict[str, Any]]:
    strokes: list[dict[str, Any]] = json.loads(strokes_text(prediction) or "{}").get("strokes", [])
    return strokes


def _writer(prediction: Prediction, key: bytes) -> int:
    # The key is forgotten after the file: nobody can compute the number of a visitor, or compare two files.
    # The numbers are far above those of the writers that training sets apart for tests.
    digest = hmac.digest(key, prediction.visitor.encode(), "sha256")
    return int.from_bytes(digest[:6], "big")


def _cells(prediction: Prediction) -> list[Any]:
    fields: dict[str, Any] = {**serialize(prediction)}
    fields |= {f"probability_{digit}": value for digit, value in enumerate(prediction.probabilities)}
    return [escape_formula(fields[name]) for name in COLUMNS]


def escape_formula(value: Any) -> Any:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
