"""A new prediction enters the log and its tallies."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import cast

from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Connection, Table, TextClause, bindparam, insert, text
from sqlalchemy.orm import Session

from mnistweb.database.models import Prediction, Tally
from mnistweb.extensions import db
from mnistweb.predictions import aggregates as tallies

LOG = cast(Table, Prediction.__table__)


def save(prediction: Prediction) -> None:
    """Insert a prediction, count it, and commit.

    On PostgreSQL this is one statement that commits itself, hence one round trip. It passes by the session,
    which would take longer to find out what is to be inserted than PostgreSQL takes to insert it.
    """
    if db.session.registry.has():  # whoever holds a connection must not wait for another
        db.session.commit()
    row = {column.name: getattr(prediction, column.name) for column in LOG.columns}
    fact = tallies.fact(prediction)
    if db.engine.dialect.name == "postgresql":
        counts = tallies.counts_of_new(fact)
        with _committing() as connection:
            connection.execute(_insert_and_count(len(counts)), row | tallies.parameters(Tally, counts))
    else:
        with Session(db.engine) as session:
            session.execute(insert(LOG), row)
            tallies.change(session, added=[fact])
            session.commit()


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
    count, parameters = tallies.upsert(Tally, counts)
    return text(
        f"WITH counted AS ({count}) "  # noqa: S608 (own names)
        f"INSERT INTO prediction ({', '.join(names)}) VALUES (:{', :'.join(names)})"
    ).bindparams(*parameters, *(bindparam(column.name, type_=column.type) for column in LOG.columns))
