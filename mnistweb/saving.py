"""A new prediction enters the log and its tallies."""

from functools import cache
from typing import cast

from sqlalchemy import Table, TextClause, bindparam, insert, text
from sqlalchemy.orm import Session

from mnistweb import tallies
from mnistweb.models import Prediction, Tally

LOG = cast(Table, Prediction.__table__)


def save(session: Session, prediction: Prediction) -> None:
    """Insert a prediction and count it. The caller commits.

    On PostgreSQL this is one statement, hence one round trip. It passes by the session's unit of work, which
    would take longer to find out what is to be inserted than PostgreSQL takes to insert it.
    """
    row = {column.name: getattr(prediction, column.name) for column in LOG.columns}
    fact = tallies.fact(prediction)
    if session.get_bind().dialect.name == "postgresql":
        counts = tallies.counts_of_new(fact)
        session.execute(_insert_and_count(len(counts)), row | tallies.parameters(Tally, counts))
    else:
        session.execute(insert(LOG), row)
        tallies.change(session, added=[fact])


@cache
def _insert_and_count(counts: int) -> TextClause:
    names = LOG.columns.keys()
    count, parameters = tallies.upsert(Tally, counts)
    return text(
        f"WITH counted AS ({count}) "  # noqa: S608 (own names)
        f"INSERT INTO prediction ({', '.join(names)}) VALUES (:{', :'.join(names)})"
    ).bindparams(*parameters, *(bindparam(column.name, type_=column.type) for column in LOG.columns))
