"""Counts of the log by day and by month, kept in the transaction that changes the log.

They answer in milliseconds what counting millions of rows would take seconds for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from typing import cast as typed
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Date,
    Row,
    Subquery,
    Table,
    TextClause,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from mnistweb.database.models import ConfidenceTally, Prediction, Span, Tally

NONE = -1  # as a digit: not a digit; as a label: it was no digit
UNLABELLED = -2
SHARDS = 4
MOST_ROWS = 200  # of one statement

Key = tuple[Any, ...]
Counted = type[Tally | ConfidenceTally]


class Fact(NamedTuple):
    """What is counted of a prediction."""

    id: UUID
    created_at: datetime
    model: str
    digit: int | None
    confidence: float
    label: int | None
    labelled_at: datetime | None


# To be selected, or returned by a DELETE, for `apply_changes`.
COLUMNS = tuple(getattr(Prediction, name) for name in Fact._fields)


def fact(prediction: Prediction) -> Fact:
    """What is counted of a prediction."""
    return Fact(*(getattr(prediction, name) for name in Fact._fields))


def apply_changes(
    session: Session,
    *,
    added: Iterable[Fact | Row[Any]] = (),
    removed: Iterable[Fact | Row[Any]] = (),
) -> None:
    """Count what is added, and no longer what is removed: facts, or rows of COLUMNS. The caller commits.

    To be called last before that, since others that count the same wait for the commit. Everyone takes the
    rows in the same order, so that no two wait for each other.
    """
    counts: defaultdict[Key, int] = defaultdict(int)
    sums: defaultdict[Key, float] = defaultdict(float)
    certain: defaultdict[Key, int] = defaultdict(int)
    for rows, sign in ((added, 1), (removed, -1)):
        for row in rows:
            each = Fact(*row)
            for start in _starts(each.created_at):
                counts[*start, *_reading(each)] += sign
                if each.labelled_at is not None:
                    key = (*start, *_certainty(each))
                    certain[key] += sign
                    sums[key] += sign * each.confidence
    _add(session, Tally, [(*key, count) for key, count in counts.items() if count])
    _add(session, ConfidenceTally, [(*key, count, sums[key]) for key, count in certain.items() if count])


def counts_of_new(fact: Fact) -> list[Key]:
    """The rows of Tally that count a prediction without feedback, in the order in which they are taken."""
    return sorted((*start, *_reading(fact), 1) for start in _starts(fact.created_at))


def upsert(model: Counted, rows: int) -> tuple[str, list[BindParameter[Any]]]:
    """A statement that adds so many rows of counts to those that are there, and its `parameters`.

    All rows in one statement, since others may wait meanwhile; as text, since SQLAlchemy would put together
    its own anew each time.
    """
    table = typed(Table, model.__table__)
    names, keys = table.columns.keys(), table.primary_key.columns.keys()
    values = (", ".join(f":{name}_{place}" for name in names) for place in range(rows))
    sums = (f"{name} = {table.name}.{name} + excluded.{name}" for name in names if name not in keys)
    statement = (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({'), ('.join(values)}) "  # noqa: S608 (own names)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(sums)}"
    )
    return statement, [
        bindparam(f"{each.name}_{place}", type_=each.type) for place in range(rows) for each in table.columns
    ]


def parameters(model: Counted, rows: Sequence[Key]) -> dict[str, Any]:
    """The values of `upsert` for these rows."""
    names = typed(Table, model.__table__).columns.keys()
    return {f"{name}_{place}": row[at] for place, row in enumerate(rows) for at, name in enumerate(names)}


def recount(session: Session) -> None:
    """Count the whole log anew. The caller commits; until then whoever adds to the log waits."""
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        # What is being written is either seen below, or counted by its writer afterwards.
        session.execute(text("LOCK TABLE tally, confidence_tally IN EXCLUSIVE MODE"))
    for model in (Tally, ConfidenceTally):
        session.execute(delete(model))
    for span in Span:
        log = _log(span, dialect)
        shared = literal(span, Tally.span.type), log.c.start, log.c.model
        counted: list[ColumnElement[Any]] = [*shared, log.c.digit, log.c.label, literal(0)]
        _fill(session, Tally, select(*counted, func.count()).group_by(*counted[1:5]))
        counted = [*shared, log.c.tenth, log.c.digit == log.c.label]
        sums = select(*counted, func.count(), func.sum(log.c.confidence))
        labelled = log.c.label != UNLABELLED
        _fill(session, ConfidenceTally, sums.where(labelled).group_by(*counted[1:]))


def _starts(created_at: datetime) -> Iterator[Key]:
    day = created_at.astimezone(UTC).date()
    yield Span.DAY, day
    yield Span.MONTH, day.replace(day=1)


def _reading(fact: Fact) -> Key:
    digit = NONE if fact.digit is None else fact.digit
    if fact.labelled_at is None:
        return fact.model, digit, UNLABELLED, fact.id.int % SHARDS
    # Nobody gives feedback so fast that they would wait for each other.
    return fact.model, digit, NONE if fact.label is None else fact.label, 0


def _certainty(fact: Fact) -> Key:
    tenth = sum(fact.confidence >= bound / 10 for bound in range(1, 10))
    return fact.model, tenth, fact.digit == fact.label


def _add(session: Session, model: Counted, rows: Sequence[Key]) -> None:
    rows = sorted(rows)
    for first in range(0, len(rows), MOST_ROWS):
        some = rows[first : first + MOST_ROWS]
        session.execute(_upsert(model, len(some)), parameters(model, some))


@cache
def _upsert(model: Counted, rows: int) -> TextClause:
    statement, binds = upsert(model, rows)
    return text(statement).bindparams(*binds)


def _log(span: Span, dialect: str) -> Subquery:
    made = Prediction.created_at
    start: ColumnElement[Any]
    if dialect == "sqlite":
        start = func.date(made) if span is Span.DAY else func.strftime("%Y-%m-01", made)
    else:
        start = cast(func.date_trunc(str(span), func.timezone("UTC", made)), Date)
    label = func.coalesce(Prediction.label, NONE)
    return select(
        start.label("start"),
        Prediction.model,
        func.coalesce(Prediction.digit, NONE).label("digit"),
        case((Prediction.labelled_at.is_(None), UNLABELLED), else_=label).label("label"),
        case(*((Prediction.confidence >= bound / 10, bound) for bound in range(9, 0, -1)), else_=0).label(
            "tenth"
        ),
        Prediction.confidence,
    ).subquery()


def _fill(session: Session, model: Counted, rows: Any) -> None:
    session.execute(insert(model).from_select(list(typed(Table, model.__table__).columns.keys()), rows))
