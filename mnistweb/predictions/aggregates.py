"""Aggregates: prediction counts per day and month, updated in the transaction that changes the log.

Insights reads them in milliseconds, where counting millions of predictions would take seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import chain
from typing import Any, NamedTuple
from typing import cast as type_cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Date,
    Row,
    Select,
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
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from mnistweb.database.models import ConfidenceTally, DoubtTally, Prediction, PromptTally, Span, Tally

NOT_A_DIGIT = -1  # as `digit`: refused; as `label`: the author says that it was no digit
UNLABELLED = -2  # as `label`: no feedback
SHARDS = 4
MAX_ROWS_PER_STATEMENT = 200

Values = tuple[Any, ...]
AggregateModel = type[Tally | DoubtTally | PromptTally | ConfidenceTally]
AGGREGATES: tuple[AggregateModel, ...] = (Tally, DoubtTally, PromptTally, ConfidenceTally)


class Fact(NamedTuple):
    """The columns of a prediction that the aggregates depend on."""

    id: UUID
    created_at: datetime
    model: str
    digit: int | None
    doubtful: bool
    confidence: float
    label: int | None
    labelled_at: datetime | None
    prompt: int | None

    @classmethod
    def of(cls, prediction: Prediction) -> "Fact":
        """Copy the columns from a prediction."""
        return cls(*(getattr(prediction, name) for name in cls._fields))


# For a SELECT, or for the RETURNING clause of a DELETE; `apply_changes` takes such rows.
FACT_COLUMNS = tuple(getattr(Prediction, name) for name in Fact._fields)


def apply_changes(
    session: Session,
    *,
    added: Iterable[Fact | Row[Any]] = (),
    removed: Iterable[Fact | Row[Any]] = (),
) -> None:
    """Add facts to the aggregates and subtract others; rows of FACT_COLUMNS serve as facts.

    The caller commits, and does so right after this call, because the changed rows stay locked until then.
    All callers lock the rows in the same order, which rules out deadlocks.
    """
    counts: defaultdict[Values, int] = defaultdict(int)
    doubts: defaultdict[Values, int] = defaultdict(int)
    prompts: defaultdict[Values, int] = defaultdict(int)
    confidence_counts: defaultdict[Values, int] = defaultdict(int)
    confidence_sums: defaultdict[Values, float] = defaultdict(float)
    for rows, sign in ((added, 1), (removed, -1)):
        for row in rows:
            fact = Fact(*row)
            for period in _periods(fact.created_at):
                counts[*period, *_tally_key(fact)] += sign
                if fact.doubtful:
                    doubts[*period, *_tally_key(fact)] += sign
                if fact.prompt is not None:
                    prompts[*period, *_prompt_key(fact)] += sign
                if fact.labelled_at is not None:
                    key = (*period, *_confidence_key(fact))
                    confidence_counts[key] += sign
                    confidence_sums[key] += sign * fact.confidence
    _upsert(session, Tally, [(*key, count) for key, count in counts.items() if count])
    _upsert(session, DoubtTally, [(*key, count) for key, count in doubts.items() if count])
    _upsert(session, PromptTally, [(*key, count) for key, count in prompts.items() if count])
    _upsert(
        session,
        ConfidenceTally,
        [(*key, count, confidence_sums[key]) for key, count in confidence_counts.items() if count],
    )


def changes_of_new(fact: Fact) -> dict[AggregateModel, list[Values]]:
    """Return the rows that count a prediction without feedback, by table; both in locking order."""
    keys: dict[AggregateModel, Values] = {Tally: _tally_key(fact)}
    if fact.doubtful:
        keys[DoubtTally] = keys[Tally]
    if fact.prompt is not None:
        keys[PromptTally] = _prompt_key(fact)
    periods = sorted(_periods(fact.created_at))
    return {model: [(*period, *key, 1) for period in periods] for model, key in keys.items()}


def upsert_statement(
    model: AggregateModel, rows: int, *, after: str = ""
) -> tuple[str, list[BindParameter[Any]]]:
    """Return an INSERT that adds the counts of `rows` rows to existing rows, and its bind parameters.

    One statement for all rows keeps the locks short. It is text, because SQLAlchemy would compile its own
    form of it at each call. In a WITH clause, it locks its rows `after` those of another of its statements.
    """
    table = type_cast(Table, model.__table__)
    names, keys = table.columns.keys(), table.primary_key.columns.keys()
    parameters = _parameter_names(model, rows)
    source = "VALUES " + ", ".join(f"(:{', :'.join(row)})" for row in parameters)
    if after:
        source = f"SELECT * FROM ({source}) AS new WHERE (SELECT count(*) FROM {after}) > 0"  # noqa: S608 (names)
    sums = (f"{name} = {table.name}.{name} + excluded.{name}" for name in names if name not in keys)
    statement = (
        f"INSERT INTO {table.name} ({', '.join(names)}) {source} "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(sums)}"
    )
    return statement, [
        bindparam(name, type_=column.type)
        for row in parameters
        for name, column in zip(row, table.columns, strict=True)
    ]


def upsert_parameters(model: AggregateModel, rows: Sequence[Values]) -> dict[str, Any]:
    """Return the values of the bind parameters of `upsert_statement` for these rows."""
    names = chain.from_iterable(_parameter_names(model, len(rows)))
    return dict(zip(names, chain.from_iterable(rows), strict=True))


@cache
def _parameter_names(model: AggregateModel, rows: int) -> list[list[str]]:
    table = type_cast(Table, model.__table__)
    names = table.columns.keys()
    return [[f"{table.name}_{name}_{row}" for name in names] for row in range(rows)]


def recount(session: Session, since: date | None = None) -> None:
    """Rebuild the aggregates from the log, of all days or of those `since` one; earlier counts stay.

    The caller commits; until then, other writers to the log wait.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        # A concurrent transaction commits before this lock, and is counted here, or counts itself later.
        names = ", ".join(model.__tablename__ for model in AGGREGATES)
        session.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    for model in AGGREGATES:
        recounted = [] if since is None else [or_(model.span == Span.MONTH, model.start >= since)]
        session.execute(delete(model).where(*recounted).execution_options(synchronize_session=False))
    log = _log(dialect, since)
    shared = literal(Span.DAY, Tally.span.type), log.c.start, log.c.model
    keys: list[ColumnElement[Any]] = [*shared, log.c.digit, log.c.label, literal(0)]
    counts = select(*keys, func.count()).group_by(*keys[1:5])
    _insert_from(session, Tally, counts)
    _insert_from(session, DoubtTally, counts.where(log.c.doubtful))
    keys = [*shared, log.c.digit, log.c.prompt, literal(0)]
    prompted = select(*keys, func.count()).where(log.c.prompt.is_not(None)).group_by(*keys[1:5])
    _insert_from(session, PromptTally, prompted)
    keys = [*shared, log.c.tenth, log.c.digit == log.c.label]
    sums = select(*keys, func.count(), func.sum(log.c.confidence))
    labelled = log.c.label != UNLABELLED
    _insert_from(session, ConfidenceTally, sums.where(labelled).group_by(*keys[1:]))
    for model in AGGREGATES:
        _insert_from(session, model, _months(model, dialect))


def _periods(created_at: datetime) -> Iterator[Values]:
    day = created_at.astimezone(UTC).date()
    yield Span.DAY, day
    yield Span.MONTH, day.replace(day=1)


def _tally_key(fact: Fact) -> Values:
    digit = NOT_A_DIGIT if fact.digit is None else fact.digit
    if fact.labelled_at is None:
        return fact.model, digit, UNLABELLED, fact.id.int % SHARDS
    # Feedback is too rare for lock contention, so one shard is enough.
    return fact.model, digit, NOT_A_DIGIT if fact.label is None else fact.label, 0


def _prompt_key(fact: Fact) -> Values:
    digit = NOT_A_DIGIT if fact.digit is None else fact.digit
    return fact.model, digit, fact.prompt, fact.id.int % SHARDS


def _confidence_key(fact: Fact) -> Values:
    tenth = sum(fact.confidence >= bound / 10 for bound in range(1, 10))
    return fact.model, tenth, fact.digit == fact.label


def _upsert(session: Session, model: AggregateModel, rows: Sequence[Values]) -> None:
    rows = sorted(rows)
    for first in range(0, len(rows), MAX_ROWS_PER_STATEMENT):
        batch = rows[first : first + MAX_ROWS_PER_STATEMENT]
        session.execute(_compiled_upsert(model, len(batch)), upsert_parameters(model, batch))


@cache
def _compiled_upsert(model: AggregateModel, rows: int) -> TextClause:
    statement, parameters = upsert_statement(model, rows)
    return text(statement).bindparams(*parameters)


def _months(model: AggregateModel, dialect: str) -> Select[Any]:
    """Sum the days of each month."""
    table = type_cast(Table, model.__table__)
    month: ColumnElement[Any] = func.strftime("%Y-%m-01", model.start)
    if dialect != "sqlite":
        month = cast(func.date_trunc("month", model.start), Date)
    keys = [month, *(column for column in table.primary_key if column.name not in ("span", "start"))]
    sums = [func.sum(column) for column in table.columns if not column.primary_key]
    of_days = select(literal(Span.MONTH, Tally.span.type), *keys, *sums).where(model.span == Span.DAY)
    return of_days.group_by(*keys)


def _log(dialect: str, since: date | None) -> Subquery:
    created_at = Prediction.created_at
    start: ColumnElement[Any] = func.date(created_at)
    if dialect != "sqlite":
        start = cast(func.timezone("UTC", created_at), Date)
    days = [] if since is None else [created_at >= datetime.combine(since, time(), UTC)]
    label = func.coalesce(Prediction.label, NOT_A_DIGIT)
    log = select(
        start.label("start"),
        Prediction.model,
        func.coalesce(Prediction.digit, NOT_A_DIGIT).label("digit"),
        Prediction.doubtful,
        case((Prediction.labelled_at.is_(None), UNLABELLED), else_=label).label("label"),
        case(*((Prediction.confidence >= bound / 10, bound) for bound in range(9, 0, -1)), else_=0).label(
            "tenth"
        ),
        Prediction.confidence,
        Prediction.prompt,
    )
    return log.where(*days).subquery()


def _insert_from(session: Session, model: AggregateModel, rows: Any) -> None:
    session.execute(insert(model).from_select(list(type_cast(Table, model.__table__).columns.keys()), rows))
