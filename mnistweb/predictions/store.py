"""Writes to the prediction log: insert and delete, with the aggregates in the same transaction."""

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import ColumnElement, Dialect, Engine, Table, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mnistweb.database.failover import is_refusal
from mnistweb.database.models import Challenge, Prediction, Span
from mnistweb.database.turns import turn_to_write
from mnistweb.database.wiping import wipe, wipe_pending
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.challenges import delete_challenges
from mnistweb.predictions.errors import NotFound

PREDICTION = cast(Table, Prediction.__table__)
COLUMNS = tuple(PREDICTION.columns.keys())
DELETION_BATCH = 500
"""Rows that a transaction deletes, so that others wait for it only briefly."""


def insert(prediction: Prediction) -> None:
    """Insert a prediction, update the aggregates, and commit.

    On PostgreSQL this is one statement in autocommit mode, hence one round trip. It bypasses the session,
    whose unit of work takes longer than the insert itself.
    """
    if db.session.registry.has():  # a thread that waits for a second connection could exhaust the pool
        db.session.commit()
    engine = db.engine
    given = vars(prediction)  # without SQLAlchemy's descriptors, which take ten times as long
    row = {name: value for name in COLUMNS if (value := given.get(name)) is not None}
    known: list[Any] = [given.get(name) for name in aggregates.Fact._fields]
    fact = aggregates.Fact(*known)
    if engine.dialect.name == "postgresql":
        _insert_at_once(engine, row, fact)
        return
    with Session(engine) as session:
        with turn_to_write(session):
            session.execute(sa.insert(PREDICTION), row)
        aggregates.apply_changes(session, added=[fact])
        session.commit()
    wipe_pending(engine)


def delete_own(prediction_id: uuid.UUID, visitor: str) -> None:
    """Delete one prediction, and commit. Raises NotFound unless the visitor is its author."""
    if not _delete(Prediction.id == prediction_id, Prediction.visitor == visitor):
        raise NotFound
    wipe(db.engine)


def delete_all_own(visitor: str) -> int:
    """Delete the visitor's challenges, and all predictions in batches; commit each.

    Returns the number of predictions.
    """
    challenges = delete_challenges(Challenge.visitor == visitor)
    own = sa.select(Prediction.id).where(Prediction.visitor == visitor)
    oldest = own.order_by(Prediction.created_at, Prediction.id).limit(DELETION_BATCH)
    number = 0
    while ids := db.session.scalars(oldest).all():
        number += _delete(Prediction.id.in_(ids), Prediction.visitor == visitor)
    if number or challenges:
        wipe(db.engine)
    return number


def delete_own_of_challenge(challenge_id: uuid.UUID, visitor: str) -> None:
    """Delete the visitor's predictions of a challenge, and commit."""
    _delete(Prediction.challenge == challenge_id, Prediction.visitor == visitor)
    wipe(db.engine)


def count_own(visitor: str) -> int:
    """Count the visitor's predictions."""
    return db.session.scalar(sa.select(sa.func.count()).where(Prediction.visitor == visitor)) or 0


class _Prepared(NamedTuple):
    """A statement as the driver takes it, and the converters of those parameters that need one.

    SQLAlchemy would look up the statement and bind its 30 names anew each time, which takes twice as long.
    """

    text: str
    converters: Mapping[str, Callable[[Any], Any]]

    def convert(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Convert the parameters in place for the driver, and return them."""
        for name, convert in self.converters.items():
            parameters[name] = convert(parameters[name])
        return parameters


def _insert_at_once(engine: Engine, row: dict[str, Any], fact: aggregates.Fact) -> None:
    changes = aggregates.changes_of_new(fact)
    statement = _insert_and_count(engine.dialect, tuple(row), tuple(changes))
    for model, counts in changes.items():
        row |= aggregates.upsert_parameters(model, counts)
    parameters = statement.convert(row)
    try:
        _execute(engine, statement.text, parameters)
    except DBAPIError as error:
        if not is_refusal(error):
            raise
        _execute(engine, statement.text, parameters)  # on a new connection


@cache
def _insert_and_count(
    dialect: Dialect, names: tuple[str, ...], counted: tuple[aggregates.AggregateModel, ...]
) -> _Prepared:
    parameters = [bindparam(name, type_=PREDICTION.columns[name].type) for name in names]
    counts, after = [], ""
    for model in counted:
        upsert, more = aggregates.upsert_statement(model, len(Span), after=after)
        parameters += more
        after = f"new_{model.__tablename__}"
        counts.append(f"{after} AS ({upsert} RETURNING 1)")
    statement = text(
        f"WITH {', '.join(counts)} "  # noqa: S608 (names of columns)
        f"INSERT INTO prediction ({', '.join(names)}) VALUES (:{', :'.join(names)})"
    )
    converters = ((each.key, each.type.dialect_impl(dialect).bind_processor(dialect)) for each in parameters)
    return _Prepared(
        str(statement.bindparams(*parameters).compile(dialect=dialect)),
        {name: convert for name, convert in converters if convert},
    )


def _execute(engine: Engine, statement: str, parameters: dict[str, Any]) -> None:
    """Execute and commit a statement in one exchange."""
    with engine.connect() as connection:
        # The driver's own switch. SQLAlchemy's isolation level "AUTOCOMMIT" would cost extra round trips.
        driver = cast(PsycopgConnection, connection.connection.dbapi_connection)
        driver.autocommit = True
        try:
            connection.exec_driver_sql(statement, parameters)
        finally:
            if not driver.closed:
                driver.autocommit = False


def _delete(*conditions: ColumnElement[bool]) -> int:
    # DELETE ... RETURNING: no feedback can change a row between its reading and its deletion.
    deleted = db.session.execute(
        sa.delete(Prediction)
        .where(*conditions)
        .returning(*aggregates.FACT_COLUMNS)
        .execution_options(synchronize_session=False)
    ).all()
    aggregates.apply_changes(db.session(), removed=deleted)
    db.session.commit()
    return len(deleted)
