"""Drift of the log: the windows, the shares, the samples, and how long a result is kept."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import delete, event

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import aggregates, drift
from mnistweb.predictions.drift import Day, Drift, Windows, current_drift, load_drift
from mnistweb.predictions.drift_statistics import DistributionDrift, Verdict
from mnistweb.proportion import Proportion
from tests.support.rows import NOON, add, row

TODAY = NOON.date()
WINDOWS = Windows.before(TODAY, 7, 28)


def ink(share: float) -> bytes:
    """Return an input of which a share is ink."""
    image = np.zeros(784, np.uint8)
    image[: round(share * 784)] = 255
    return image.tobytes()


def drawn(rng: np.random.Generator, ago: int, refused: float, doubtful: float, right: float) -> Prediction:
    """Return an answer of a day before NOON, refused, in doubt and right with these chances."""
    when = NOON - timedelta(days=ago, minutes=int(rng.integers(0, 60)))
    digit = None if rng.random() < refused else int(rng.integers(10))
    label = digit if rng.random() < right else 7
    return row(
        when,
        digit=digit,
        doubtful=digit is not None and rng.random() < doubtful,
        confidence=float(1 - rng.exponential(0.03) % 1),
        label=label,
        labelled_at=when,
        input=ink(min(max(rng.normal(0.13, 0.03), 0), 1)),
    )


def fill(*predictions: Prediction) -> None:
    add(*predictions)
    aggregates.recount(db.session())
    db.session.commit()


def verdicts(found: Drift) -> dict[str, Verdict]:
    return {name: measure.verdict for name, measure in found.measures.items()}


def load() -> Drift:
    return load_drift(db.session(), "cnn", WINDOWS)


def test_windows_are_whole_days_before_today() -> None:
    assert Windows(date(2025, 11, 27), date(2025, 12, 25), date(2026, 1, 1)) == WINDOWS


def test_drift_is_noticed(app: Flask) -> None:
    rng = np.random.default_rng(1)
    before = [drawn(rng, ago, 0.05, 0.05, 0.95) for ago in range(8, 36) for _ in range(25)]
    latest = [drawn(rng, ago, 0.25, 0.25, 0.7) for ago in range(1, 8) for _ in range(50)]
    for prediction in latest:
        prediction.confidence *= 0.9
        prediction.input = ink(0.19)
    with app.app_context():
        fill(*before, *latest)
        assert load().changed == ["refused", "doubtful", "right", "confidence", "ink"]


def test_no_drift_is_noticed_where_none_is(app: Flask) -> None:
    rng = np.random.default_rng(2)
    with app.app_context():
        fill(*(drawn(rng, ago, 0.05, 0.05, 0.95) for ago in range(1, 36) for _ in range(40)))
        assert set(verdicts(load()).values()) == {Verdict.SAME}


def test_days_count_what_the_log_holds(app: Flask) -> None:
    def at(ago: int, **fields: Any) -> Prediction:
        when = NOON - timedelta(days=ago)
        return row(when, labelled_at=when if "label" in fields else None, **fields)

    with app.app_context():
        fill(
            at(0),  # today is not over
            at(1, digit=None),
            at(1, digit=3, label=3),
            at(1, digit=3, label=8, doubtful=True),
            at(35),
            at(36),  # before the reference
            at(1, model="linear"),
        )
        found = load()
    yesterday, first = WINDOWS.end - timedelta(1), WINDOWS.first
    assert found.days == [Day(first, 1, 0, 0, 0, 0), Day(yesterday, 3, 1, 1, 2, 1)]
    assert found.shares["refused"].recent == Proportion(1, 3)
    assert found.shares["right"].recent == Proportion(1, 2)
    assert found.shares["doubtful"].reference == Proportion(0, 1)
    assert set(verdicts(found).values()) == {Verdict.FEW}


def test_samples_are_binned(app: Flask) -> None:
    with app.app_context():
        fill(
            row(NOON - timedelta(1), confidence=0.3, input=ink(0.0)),
            row(NOON - timedelta(1), confidence=0.9, input=ink(0.5)),
            row(NOON - timedelta(1), confidence=1.0, input=b""),  # of a row made without recognition
            row(NOON - timedelta(9), confidence=0.97, input=ink(0.13)),
        )
        found = load()
    assert found.distributions["confidence"] == DistributionDrift(
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    )
    assert found.distributions["ink"] == DistributionDrift(
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    )


def test_large_windows_are_sampled(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "SAMPLE", 100)
    rng = np.random.default_rng(3)
    with app.app_context():
        fill(*(drawn(rng, 1, 0.05, 0.05, 0.9) for _ in range(400)))
        found = load()
    assert 60 < sum(found.distributions["confidence"].recent) < 140
    assert found.shares["refused"].recent.total == 400


def test_deleted_drawings_leave_all_measures(app: Flask) -> None:
    with app.app_context():
        fill(row(NOON - timedelta(1), input=ink(0.1)))
        db.session.execute(delete(Prediction))
        aggregates.recount(db.session())
        db.session.commit()
        found = load()
    assert not sum(day.predictions for day in found.days)
    assert not sum(found.distributions["confidence"].recent)


def test_result_is_kept_for_an_hour_within_a_day(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        moment = datetime(2026, 1, 1, 12, tzinfo=UTC)

        @classmethod
        def now(cls, _zone: object = None) -> "datetime":  # type: ignore[override]
            return cls.moment

    monkeypatch.setattr(drift, "datetime", Clock)
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note := _note(statements))
        first = current_drift()
        asked = len(statements)
        assert current_drift() is first
        assert len(statements) == asked
        Clock.moment += timedelta(minutes=61)
        assert current_drift() is not first
        Clock.moment = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
        evening = current_drift()
        Clock.moment += timedelta(minutes=2)
        assert current_drift().windows.end == evening.windows.end + timedelta(1)
        event.remove(db.engine, "before_cursor_execute", note)


def _note(statements: list[str]) -> Callable[..., None]:
    return lambda *arguments: statements.append(arguments[2])
