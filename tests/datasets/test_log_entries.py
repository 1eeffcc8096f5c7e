"""Hostile entries of a log are refused, each for its reason."""

import base64
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest

from mnistweb.datasets.column_values import to_json
from mnistweb.datasets.log_entries import MAX_LINE, PREDICTION, parse_entry
from mnistweb.predictions.strokes import MAX_BYTES, MAX_POINTS
from mnistweb.recognition.png import encode_png
from tests.support.data_sets import TRAINING, drawing
from tests.support.fuzz.pieces import chunk

NAMES = [column.name for column in PREDICTION.columns]
UUID = "00000000-0000-4000-8000-000000000000"


def entry(**changes: Any) -> dict[str, Any]:
    row = vars(drawing(3, 1))
    prediction = {name: to_json(row.get(name)) for name in NAMES}
    return {"prediction": prediction | changes, "decisions": [], "challenge": None}


def text(png: bytes) -> str:
    return base64.b64encode(png).decode()


def bomb(width: int, height: int, data: bytes) -> str:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data, 9)), chunk(b"IEND", b""))
    return text(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_good_entry_is_read() -> None:
    read = parse_entry(json.dumps(entry()).encode())
    row = vars(drawing(3, 1))
    assert read.prediction == {name: row.get(name) for name in NAMES}


def test_column_that_an_older_version_lacks_gets_its_default() -> None:
    given = entry()
    for name in ("doubtful", "prompt", "review"):
        del given["prediction"][name]
    read = parse_entry(json.dumps(given).encode()).prediction
    assert (read["doubtful"], read["prompt"], read["review"]) == (False, None, None)


def test_strokes_of_an_older_version_may_have_more_bytes() -> None:
    point = [-100.12345678901234, -100.12345678901234, 0.12345678901234567]
    strokes = {"size": 280, "strokes": [{"width": 20, "points": [point] * MAX_POINTS}]}
    line = json.dumps(entry(strokes=strokes)).encode()
    assert len(line) > MAX_BYTES
    assert parse_entry(line).prediction["strokes"] == strokes


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x"}, {"id": UUID.replace("-", "")}, {"id": 1}, {"id": None}, {"id": [UUID]},
        {"created_at": "2026-01-01T00:00:00"}, {"created_at": "9999-01-01T00:00:00+00:00"},
        {"created_at": "0001-01-01T00:00:00+14:00"}, {"created_at": "yesterday"}, {"created_at": 0},
        {"visitor": ""}, {"visitor": "x" * 33}, {"visitor": "a\nb"}, {"visitor": "\0"}, {"visitor": "\ud800"},
        {"source": "moon"}, {"source": None}, {"source": "x" * 1_000_000},
        {"drawing": None}, {"drawing": ""}, {"drawing": "!"}, {"drawing": text(b"GIF89a")},
        {"drawing": text(encode_png(np.zeros((1, 561), np.uint8)))},
        {"drawing": text(encode_png(np.zeros((3, 3), np.uint8)) + b"more")},
        {"drawing": text(encode_png(np.zeros((3, 3, 2), np.uint8)))},
        {"drawing": bomb(100, 100, bytes(10_000_000))}, {"drawing": bomb(2**31, 2**31, bytes(10_000_000))},
        {"drawing": bomb(0, 5, b"")}, {"drawing": bomb(100, 100, b"")},
        {"input": text(bytes(783))}, {"input": text(bytes(785))}, {"input": None},
        {"strokes": []}, {"strokes": {"size": 280, "strokes": [{"width": 1, "points": [[1, 1e9]]}]}},
        {"strokes": {"size": 280, "strokes": [{"width": 1, "points": [[1]] * 30_000}]}},
        {"digit": 10}, {"digit": -1}, {"digit": True}, {"digit": 3.0}, {"digit": "3"}, {"digit": 10**4000},
        {"doubtful": 1}, {"doubtful": None}, {"digit": None, "doubtful": True},
        {"confidence": 1.1}, {"confidence": -0.1}, {"confidence": None}, {"confidence": "1"},
        {"confidence": True}, {"not_a_digit": 2}, {"recognition_ms": -1}, {"recognition_ms": 1e300},
        {"probabilities": [0.1] * 9}, {"probabilities": {}}, {"probabilities": [True] * 10},
        {"probabilities": [2] * 10}, {"probabilities": ["0"] * 10}, {"probabilities": None},
        {"reason": "x" * 201}, {"model": ""}, {"model": "x" * 65}, {"model_version": None},
        {"label": 10, "labelled_at": "2026-01-01T00:00:00+00:00"}, {"label": 3, "labelled_at": None},
        {"prompt": 10}, {"challenge": "x"}, {"review": "maybe"},
        {"decision": "digit", "truth": None}, {"decision": "none", "truth": 3},
        {"decision": None, "truth": 3}, {"truth": 11}, {"request_key": text(bytes(33))},
        {"colour": "red"}, {"x" * 1_000_000: 1},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_bad_value_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has its own reason)
        parse_entry(json.dumps(entry(**changes)).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"[]", b"{}", b"null", b"\xff", b'"', b"[" * 1_000_000, b'{"a":' * 100_000,
        b'{"prediction": [], "decisions": [], "challenge": null}',
        json.dumps(entry()).encode()[:-1],
        json.dumps(entry()).encode().replace(b"0.9", b"NaN"),
        json.dumps(entry()).encode().replace(b"0.9", b"Infinity"),
        json.dumps(entry()).encode().replace(b"0.9", b"1e999"),
        json.dumps(entry()).encode().replace(b"0.9", b"9" * 100_000),
        json.dumps(entry() | {"decisions": None}).encode(),
        json.dumps(entry() | {"decisions": [None]}).encode(),
        json.dumps(entry() | {"decisions": [{}] * 2_000}).encode(),
        json.dumps(entry() | {"challenge": []}).encode(),
        b" " * (MAX_LINE + 1),
    ],
    ids=lambda line: str(line[:20]),
)  # fmt: skip
def test_bad_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any reason)
        parse_entry(line)


DECISION = {
    "id": UUID, "prediction_id": entry()["prediction"]["id"], "decided_at": "2026-01-01T00:00:00+00:00",
    "reviewer": "someone", "decision": "digit", "truth": 3, "labelled": False,
}  # fmt: skip
CHALLENGE = {
    "id": UUID, "visitor": TRAINING, "started_at": "2026-01-01T00:00:00+00:00", "prompts": [1, 2],
}  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"prediction_id": UUID}, {"truth": None}, {"truth": 12}, {"labelled": None}, {"reviewer": 3}]
)
def test_bad_decision_is_refused(changes: dict[str, Any]) -> None:
    assert parse_entry(json.dumps(entry() | {"decisions": [DECISION]}).encode()).decisions[0]["truth"] == 3
    with pytest.raises(ValueError, match="decision"):
        parse_entry(json.dumps(entry() | {"decisions": [DECISION | changes]}).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": DECISION["prediction_id"]}, {"visitor": "another"}, {"prompts": [10]}, {"prompts": "1"},
        {"prompts": [True]}, {"prompts": [1] * 1_000}, {"seconds": "1"},
    ],
)  # fmt: skip
def test_bad_challenge_is_refused(changes: dict[str, Any]) -> None:
    def line(challenge: dict[str, Any]) -> bytes:
        return json.dumps(entry(challenge=UUID) | {"challenge": challenge}).encode()

    found = parse_entry(line(CHALLENGE)).challenge
    assert found is not None
    assert found["prompts"] == [1, 2]
    with pytest.raises(ValueError, match=r"challenge|prompts"):
        parse_entry(line(CHALLENGE | changes))
