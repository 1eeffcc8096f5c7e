"""Downloads of drawings with as many strokes as anybody may send."""

import gzip
import json
import tracemalloc
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from mnistweb.database.models import SHORT_STROKES, Prediction
from mnistweb.extensions import db
from tests.support.databases import on_both_databases
from tests.support.drawings import strokes_json
from tests.support.quick import QUICK
from tests.support.rows import NOON, add, row

POINTS = 15_000
LONG: dict[str, Any] = {
    "size": 280,
    "strokes": [{"width": 20, "points": [[100 / 3, 200 / 3 + number] for number in range(POINTS)]}],
}
"""About 600 KB of JSON."""
SENT = {"/history.csv": 1_000, "/history.jsonl": 6_000_000, "/history.strokes.json.gz": 100_000}


@on_both_databases
def test_strokes_are_whole_whether_short_or_long(app: Flask, client: FlaskClient) -> None:
    assert len(json.dumps(strokes_json(5))) < SHORT_STROKES < len(json.dumps(LONG))
    with app.app_context():
        ids = add(row(strokes=LONG, label=3, labelled_at=NOON), row(strokes=strokes_json(5)), row())
    lines = [json.loads(line) for line in client.get("/history.jsonl").text.splitlines()]
    found = {line["id"]: line["strokes"] for line in lines}
    assert [found[str(each)] for each in ids] == [LONG, strokes_json(5), None]
    (entry,) = json.loads(gzip.decompress(client.get("/history.strokes.json.gz").data))
    assert entry["strokes"] == [stroke["points"] for stroke in LONG["strokes"]]


@pytest.mark.parametrize("address", list(SENT)[:1] if QUICK else SENT)
def test_downloads_take_constant_memory(app: Flask, client: FlaskClient, address: str) -> None:
    with app.app_context():
        add(*(row(label=3, labelled_at=NOON) for _ in range(12)))
        db.session.execute(update(Prediction).values(strokes=LONG))
        db.session.commit()
    tracemalloc.start()
    try:
        sent = sum(len(chunk) for chunk in client.get(address).iter_encoded())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > SENT[address]
    assert most < 25_000_000
