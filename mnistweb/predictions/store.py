"""Writes to the prediction log: insert and delete, with the aggregates in the same transaction."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import cast

import sqlalchemy as sa
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import ColumnElement, Connection, Table, TextClause, bindparam, text
from sqlalchemy.orm import Session

from mnistweb.database.models import Prediction, Tally
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.errors import NotFound

LOG = cast(Table, Prediction.__table__)


def insert(prediction: Prediction) -> None:
    """Insert a prediction, count it, and commit.

    On PostgreSQL this is one statement that commits itself, hence one round trip. It passes by the session,
    which would take longer to find out what is to be inserted than PostgreSQL takes to insert it.
    """
    if db.session.registry.has():  # whoever holds a connection must not wait for another
        db.session.commit()
    row = {column.name: getattr(prediction, column.name) for column in LOG.columns}
    fact = aggregates.fact(prediction)
    if db.engine.dialect.name == "postgresql":
        counts = aggregates.counts_of_new(fact)
        with _committing() as connection:
            connection.execute(_insert_and_count(len(counts)), row | aggregates.parameters(Tally, counts))
    else:
        with Session(db.engine) as session:
            session.execute(sa.insert(LOG), row)
            aggregates.apply_changes(session, added=[fact])
            session.commit()


def delete_own(prediction_id: uuid.UUID, visitor: str) -> None:
    """Delete one prediction, and commit. Raises NotFound for anyone but its author."""
    if not _delete(Prediction.id == prediction_id, Prediction.visitor == visitor):
        raise NotFound


def delete_all_own(visitor: str) -> int:
    """Delete all of the visitor's predictions, and commit. Returns their number."""
    return _delete(Prediction.visitor == visitor)


@contextmanager
def _committing() -> Iterator[Connection]:
    # The driver's own switch, which SQLAlchemy's pings use too. Its isolation level "AUTOCOMMIT" asks the
    # database to be set, and to be set back.
    with db.engine.connect() as connection:
        driver = cast(PsycopgConnection, connection.connection.dbapi_connection)
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False


@cache
def _insert_and_count(counts: int) -> TextClause:
    names = LOG.columns.keys()
    count, parameters = aggregates.upsert(Tally, counts)
    return text(
        f"WITH counted AS ({count}) "  # noqa: S608 (own names)
        f"INSERT INTO prediction ({', '.join(names)}) VALUES (:{', :'.join(names)})"
    ).bindparams(*parameters, *(bindparam(column.name, type_=column.type) for column in LOG.columns))


def _delete(*conditions: ColumnElement[bool]) -> int:
    # One statement deletes and says what it deleted: nobody can label a row in between.
    gone = db.session.execute(
        sa.delete(Prediction)
        .where(*conditions)
        .returning(*aggregates.COLUMNS)
        .execution_options(synchronize_session=False)
    ).all()
    aggregates.apply_changes(db.session(), removed=gone)
    db.session.commit()
    return len(gone)
