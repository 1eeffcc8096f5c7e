"""Export of the log itself, bit by bit, for another site: a gzipped file of JSON lines.

It holds the ids of visitors, so that they keep their drawings. It is as private as a backup.
"""

import gzip
import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, Text, func, select
from sqlalchemy import cast as sql_cast

from mnistweb.database.models import Challenge, Prediction, ReviewDecision
from mnistweb.datasets.batches import oldest_first
from mnistweb.datasets.column_values import to_json
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.folders import draft_folder
from mnistweb.datasets.manifest import Manifest, hashes_of
from mnistweb.extensions import db
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.images import encode_again
from mnistweb.recognition.png import is_own

FILE = "log.jsonl.gz"
BATCH = 20
"""Drawings in memory: each may have strokes of a megabyte."""
STROKES = "strokes"
COLUMNS = [
    # As text, which keeps every bit of it.
    sql_cast(column, Text).label(STROKES) if column.name == STROKES else column
    for column in cast(Table, Prediction.__table__).columns
]


def export_log(
    folder: Path, criteria: Filter, advance: Callable[[int], None], *, replace: bool = False
) -> Manifest:
    """Write all drawings that meet a filter, with all that is known of them. Raises DataSetError."""
    drawings = 0
    with draft_folder(folder.absolute(), replace=replace) as draft:
        with gzip.open(draft / FILE, "wb", compresslevel=6) as file:
            for line in _lines(criteria):
                file.write(line.encode())
                drawings += 1
                advance(1)
        if not drawings:
            raise DataSetError("There are no such drawings.")
        manifest = Manifest(
            labels="all",
            filter=criteria.query(),
            counts={"drawings": drawings},
            formats={"log": {"all": drawings}},
            files=hashes_of(draft, [draft / FILE]),
        )
        manifest.write(draft)
    return manifest


def count_log(criteria: Filter) -> int:
    """Count the drawings that meet a filter."""
    with closing(db.session):
        query = select(func.count()).select_from(Prediction).where(*criteria.conditions(""))
        return db.session.scalar(query) or 0


def _lines(criteria: Filter) -> Iterator[str]:
    query = select(*COLUMNS).where(*criteria.conditions(""), Prediction.created_at <= datetime.now(UTC))
    for batch in oldest_first(query, BATCH):
        rows = [row._asdict() for row in batch]
        decisions = _decisions([row["id"] for row in rows])
        challenges = _challenges({row["challenge"] for row in rows} - {None})
        db.session.close()
        for row in rows:
            yield _line(row, decisions.get(row["id"], []), challenges.get(row["challenge"]))


def _line(row: Mapping[str, Any], decisions: list[Any], challenge: Any) -> str:
    values = {name: to_json(value) for name, value in row.items() if name != STROKES}
    if not is_own(row["drawing"]):  # an earlier version stored it as it was sent
        values["drawing"] = to_json(encode_again(row["drawing"], row["input"]))
    prediction = json.dumps(values).removesuffix("}")
    rest = json.dumps({"decisions": decisions, "challenge": challenge}).removeprefix("{")
    return f'{{"prediction": {prediction}, "{STROKES}": {row[STROKES] or "null"}}}, {rest}\n'


def _decisions(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    table = cast(Table, ReviewDecision.__table__)
    query = select(table).where(table.c.prediction_id.in_(ids)).order_by(table.c.decided_at, table.c.id)
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in db.session.execute(query):
        found.setdefault(row.prediction_id, []).append(_values(row._asdict()))
    return found


def _challenges(ids: Collection[uuid.UUID]) -> dict[uuid.UUID | None, dict[str, Any]]:
    table = cast(Table, Challenge.__table__)
    rows = db.session.execute(select(table).where(table.c.id.in_(ids))).all() if ids else ()
    return {row.id: _values(row._asdict()) for row in rows}


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json(value) for name, value in row.items()}
