"""The labelled drawings of the log."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from flask import Flask

from mnistweb.database.models import Decision, Prediction, Review
from mnistweb.datasets import records
from mnistweb.datasets.records import Labels, Record, Selection, count_records, read_records, split_of
from mnistweb.predictions.filters import Filter
from tests.support.rows import NOON, add, row

STROKES = {"size": 280, "strokes": [{"width": 20, "points": [[1, 2], [3, 4]]}]}
LABELLED = {"labelled_at": NOON}


def drawing(minute: int = 0, **fields: Any) -> Prediction:
    values = {"input": bytes(range(196)) * 4, "visitor": "someone"} | fields
    return row(NOON + timedelta(minutes=minute), **values)


def read(labels: Labels = "any", **filters: Any) -> list[Record]:
    selection = Selection(labels, Filter(**filters))
    found = [*read_records(selection)]
    assert count_records(selection) == len(found)
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"decision": Decision.DIGIT, "truth": 4, "prompt": 5, "label": 6, **LABELLED}, (4, "reviewed")),
        ({"decision": Decision.NOT_A_DIGIT, "label": 6, **LABELLED}, (None, "reviewed")),
        ({"prompt": 5}, (5, "prompted")),
        ({"prompt": 5, "label": 5, **LABELLED}, (5, "prompted")),
        ({"prompt": 5, "label": 6, **LABELLED}, (6, "feedback")),
        ({"prompt": 5, "label": None, **LABELLED}, (None, "feedback")),
        ({"label": 6, **LABELLED}, (6, "feedback")),
        ({"label": None, **LABELLED}, (None, "feedback")),
    ],
)
def test_label_is_of_the_best_origin(
    app: Flask, fields: dict[str, Any], expected: tuple[int | None, str]
) -> None:
    with app.app_context():
        [prediction] = add(drawing(**fields))
        [record] = read()
        assert (record.id, record.label, record.origin) == (prediction, *expected)
        for labels in ("reviewed", "prompted", "feedback"):
            assert len(read(labels)) == (labels == expected[1])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"decision": Decision.REJECTED, "label": 6, "prompt": 6, **LABELLED},
        {"decision": Decision.DIGIT, "truth": 4, "review": Review.HIDDEN},
    ],
    ids=["without a label", "rejected", "hidden"],
)
def test_other_drawings_are_in_no_data_set(app: Flask, fields: dict[str, Any]) -> None:
    with app.app_context():
        add(drawing(**fields))
        assert not any(read(labels) for labels in records.CONDITIONS)


def test_records_come_oldest_first_in_batches(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BATCH", 2)
    with app.app_context():
        ids = add(*(drawing(minute // 2, prompt=minute) for minute in range(7)))
        found = read()
        assert {record.id for record in found} == {*ids}
        assert found == sorted(found, key=lambda record: (record.created_at, record.id))
        assert [record.label for record in read(first=NOON.date(), model="vit")] == []


def test_record_has_the_image_and_the_strokes(app: Flask) -> None:
    long = {"size": 280, "strokes": [{"width": 20, "points": [[1.25, 2.5]] * 4000}]}
    with app.app_context():
        add(drawing(0, prompt=1, strokes=STROKES), drawing(1, prompt=2, strokes=long), drawing(2, prompt=3))
        first, second, third = read()
        assert first.image.shape == (28, 28)
        assert first.image.dtype == np.uint8
        assert first.image.tobytes() == bytes(range(196)) * 4
        assert [first.strokes, second.strokes, third.strokes] == [STROKES, long, None]
        assert first.created_at == NOON
        assert {record.strokes is None for record in read_records(Selection("any"), strokes=False)} == {True}


def test_writer_is_a_number_that_another_reading_has_only_with_the_same_key(app: Flask) -> None:
    with app.app_context():
        add(*(drawing(each, prompt=1, visitor=name) for each, name in enumerate("aba")))

        def writers(key: bytes | None = None) -> list[int]:
            return [record.writer for record in read_records(Selection("any"), key)]

        first, second, third = writers()
        assert first == third != second
        assert first > 2**30 or second > 2**30
        assert writers() != writers()
        assert writers(b"key") == writers(b"key")


def test_visitor_is_in_one_split() -> None:
    splits = [split_of(f"visitor {number}") for number in range(1000)]
    assert splits == [split_of(f"visitor {number}") for number in range(1000)]
    assert 150 < splits.count("test") < 250
