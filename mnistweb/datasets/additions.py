"""Additions to the log: drawings of elsewhere, with the aggregates in the same transaction."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.log_entries import CHALLENGE, PREDICTION, REVIEW_DECISION, Entry, Row
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.retention import first_kept_day

FACTS = [PREDICTION.c[name] for name in aggregates.Fact._fields]


@dataclass(slots=True)
class Added:
    """The numbers of drawings that an import added, found in the log already, or left out for their age."""

    added: int = 0
    known: int = 0
    too_old: int = 0


def add_entries(entries: Sequence[Entry], total: Added) -> None:
    """Add the drawings whose ids the log lacks, commit, and count them in `total`.

    Those that RETENTION_DAYS would delete are left out: their counts would stay twice. Raises DataSetError if
    the database refuses one; then none of these is added.
    """
    first = first_kept_day(current_app.config["RETENTION_DAYS"])
    kept = [entry for entry in entries if first is None or _day(entry) >= first]
    try:
        added = _insert(PREDICTION, [entry.prediction for entry in kept], FACTS)
        new = {fact.id for fact in added}
        _insert(
            REVIEW_DECISION,
            [row for entry in kept if entry.prediction["id"] in new for row in entry.decisions],
        )
        _insert(CHALLENGE, [entry.challenge for entry in kept if entry.challenge])
        aggregates.apply_changes(db.session(), added=added)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise DataSetError(
            "A drawing contradicts one of this log. "
            f"{total.added:,} drawings were added before; the same command adds no other twice."
        ) from None
    total.added += len(added)
    total.known += len(kept) - len(added)
    total.too_old += len(entries) - len(kept)


def known_ids(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the ids that the log has."""
    found = {*db.session.scalars(select(PREDICTION.c.id).where(PREDICTION.c.id.in_(ids)))}
    db.session.close()
    return found


def _insert(table: Table, rows: Sequence[Row], returning: Sequence[Any] = ()) -> Sequence[Any]:
    """Insert the rows whose ids are new, and return these columns of them."""
    if not rows:
        return ()
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=["id"])
    if not returning:
        db.session.execute(statement, rows)
        return ()
    return db.session.execute(statement.returning(*returning), rows).all()


def _day(entry: Entry) -> date:
    day: date = entry.prediction["created_at"].date()
    return day
