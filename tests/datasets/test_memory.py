"""Exports and imports take no more memory for more drawings."""

import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from mnistweb.database.models import Prediction
from mnistweb.datasets.export import export
from mnistweb.datasets.formats import WRITERS
from mnistweb.datasets.log_entries import PREDICTION
from mnistweb.datasets.log_export import export_log
from mnistweb.datasets.log_import import import_log
from mnistweb.datasets.records import Selection
from mnistweb.extensions import db
from mnistweb.predictions.filters import Filter
from tests.support.data_sets import drawing, strokes_of
from tests.support.rows import NOON

FEW, MANY = 100, 300
ALLOWANCE = 100_000
"""Bytes that many drawings may take beyond few: much less than those of their inputs alone."""


@pytest.fixture
def site(migrated_app: Callable[[str], Flask], sqlite_url: str) -> Flask:
    """An empty site on SQLite."""
    app = migrated_app(sqlite_url)
    with app.app_context():
        db.session.execute(delete(Prediction))
        db.session.commit()
    return app


def fill(rows: int) -> None:
    values = vars(drawing(3, strokes=strokes_of(3)))
    known = {name: value for name, value in values.items() if name in PREDICTION.columns}
    for first in range(0, rows, 50):
        db.session.execute(
            PREDICTION.insert(),
            [
                known | {"id": uuid.UUID(int=number), "created_at": NOON + timedelta(seconds=number)}
                for number in range(first, first + 50)
            ],
        )
    db.session.commit()


@contextmanager
def traced(peaks: list[int]) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def nothing(_: int) -> None: ...


def measure(site: Flask, work: Callable[[int], None]) -> list[int]:
    """Return the peaks of few drawings and of many, after a first time that loads what is needed."""
    peaks: list[int] = []
    with site.app_context():
        for rows in (50, FEW, MANY):
            fill(rows)
            with traced(peaks):
                work(rows)
            db.session.execute(delete(Prediction))
            db.session.commit()
    return peaks[1:]


def test_export_takes_constant_memory(site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistweb.datasets.formats.parquet.ROW_GROUP", 25)
    monkeypatch.setattr("mnistweb.datasets.records.BATCH", 25)

    def export_all(rows: int) -> None:
        export(tmp_path / str(rows), [*WRITERS], Selection(), nothing)

    few, many = measure(site, export_all)
    assert many - few < ALLOWANCE, (few, many)


def test_transfer_takes_constant_memory(site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistweb.datasets.log_import.BATCH", 25)

    def transfer(rows: int) -> None:
        export_log(tmp_path / str(rows), Filter(), nothing)
        db.session.execute(delete(Prediction))
        db.session.commit()
        import_log(tmp_path / str(rows), nothing)

    few, many = measure(site, transfer)
    assert many - few < ALLOWANCE, (few, many)
