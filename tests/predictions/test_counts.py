"""Counts of a filter's predictions equal the log, and read little of it."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice, product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from mnistweb.database.models import Prediction, Source
from mnistweb.extensions import db
from mnistweb.predictions import aggregates, counts
from mnistweb.predictions.counts import Count, count
from mnistweb.predictions.filter_fields import Verdict
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.recognition.boundaries import Certainty
from tests.support.quick import QUICK
from tests.support.rows import NOON, add, row


def fill() -> None:
    """Log predictions of four months, from the last day of a month on."""
    rng = random.Random(3)
    first = datetime(2025, 9, 30, 23, 30, tzinfo=UTC)
    rows = []
    for _ in range(240):
        when = first + timedelta(hours=rng.uniform(0, 24 * 123))
        labelled = {"label": rng.choice([3, 8, None]), "labelled_at": when} if rng.random() < 0.6 else {}
        digit = rng.choice([3, 8, None])
        rows.append(
            row(
                when,
                digit=digit,
                doubtful=digit is not None and rng.random() < 0.3,
                confidence=rng.choice([0.3, 0.7, 0.9, 0.99]),
                model=rng.choice(["cnn", "vit"]),
                source=rng.choice(list(Source)),
                visitor=rng.choice(["someone", "another"]),
                **labelled,
            )
        )
    add(*rows)
    aggregates.recount(db.session())
    db.session.commit()


def in_log(criteria: Filter) -> int:
    found = db.session.query(Prediction).filter(*criteria.conditions("someone")).count()
    db.session.rollback()
    return found


def test_counts_equal_the_log(app: Flask) -> None:
    choices = product(
        ({}, {"model": "cnn"}, {"mine": "1"}, {"source": "api"}, {"confidence_min": "0.9"}),
        ({}, {"digit": "3"}, {"digit": "none"}),
        ({}, {"label": "8"}, {"label": "none"}, *({"verdict": str(verdict)} for verdict in Verdict)),
        ({}, *({"certainty": str(certainty)} for certainty in Certainty)),
        ({}, {"from": "2025-10-15", "to": "2025-12-03"}),
    )
    with app.app_context():
        fill()
        for parts in islice(choices, 0, None, 11 if QUICK else 1):
            given = {key: value for part in parts for key, value in part.items()}
            assert count(parse_filter(given), "someone") == Count(in_log(parse_filter(given))), given


DAYS = (
    *(None, date.min, date(2025, 9, 30), date(2025, 10, 1), date(2025, 10, 2), date(2025, 11, 30)),
    *(date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 31), date(9999, 12, 1), date.max),
)


def test_counts_of_days_equal_the_log(app: Flask) -> None:
    with app.app_context():
        fill()
        for first, last in product(DAYS, DAYS):
            criteria = Filter(first=first, last=last)
            assert count(criteria, "") == Count(in_log(criteria)), (first, last)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Filter(source=Source.SLATE), Count(3, exact=False)),
        (Filter(source=Source.SLATE, digit="8"), Count(1, exact=False)),
        (Filter(confidence_min=0.5), Count(3, exact=False)),
        (Filter(confidence_min=0.5, model="vit"), Count(0, exact=False)),
        (Filter(mine=True), Count(2)),
        (Filter(mine=True, digit="8"), Count(1)),
        (Filter(), Count(6)),
    ],
)
def test_long_counts_are_bounded(
    app: Flask, monkeypatch: pytest.MonkeyPatch, criteria: Filter, expected: Count
) -> None:
    monkeypatch.setattr(counts, "MAX_COUNTED", 3)
    monkeypatch.setattr(counts, "MAX_CHECKED", 2)
    with app.app_context():
        add(
            *(row(NOON + timedelta(minutes=minute), visitor="another") for minute in range(4)),
            row(NOON + timedelta(minutes=5)),
            row(NOON + timedelta(minutes=6), digit=8),
        )
        aggregates.recount(db.session())
        db.session.commit()
        assert count(criteria, "someone") == expected


def test_count_is_worded() -> None:
    assert str(Count(1234)) == "1,234"
    assert str(Count(10_000, exact=False)) == "at least 10,000"


def test_contradiction_asks_nothing(app: Flask) -> None:
    sent: list[Any] = []

    def keep(*given: Any) -> None:
        sent.append(given)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", keep)
        assert count(Filter(label="3", verdict=Verdict.UNLABELLED), "") == Count(0)
        event.remove(db.engine, "before_cursor_execute", keep)
    assert sent == []
