"""Old drawings go, and their counts stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from mnistweb.cli import main
from mnistweb.database.models import Prediction, Span, Tally
from mnistweb.extensions import db
from mnistweb.predictions import aggregates, retention
from mnistweb.predictions.retention import first_kept_day, prune
from tests.support.clients import predict
from tests.support.rows import add, row
from tests.support.tallies import counted


def save_one_a_day(days: int) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=0)
    for age in range(days):
        label: dict[str, Any] = {"label": age % 10, "labelled_at": noon} if age % 2 else {}
        add(row(noon - timedelta(days=age), doubtful=age % 3 == 0, **label))
    aggregates.recount(db.session())
    db.session.commit()


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Prediction)) or 0


def by_span() -> dict[Span, int]:
    counts = db.session.execute(select(Tally.span, func.sum(Tally.count)).group_by(Tally.span))
    return {span: int(count) for span, count in counts}


def test_old_drawings_go_and_their_counts_stay(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    with app.app_context():
        save_one_a_day(12)
        before = counted()
        first = first_kept_day(4)
        assert first
        assert list(prune(first)) == [3, 3, 1]
        assert rows() == 5
        assert counted() == before
        assert by_span() == {Span.DAY: 12, Span.MONTH: 12}
        assert list(prune(first)) == []


def test_recount_keeps_the_counts_of_days_that_went(app: Flask) -> None:
    with app.app_context():
        save_one_a_day(70)
        before = counted()
        first = first_kept_day(40)
        assert first
        assert sum(prune(first)) == 29
        aggregates.recount(db.session(), first)
        db.session.commit()
        assert counted() == before


def test_without_a_number_of_days_nothing_is_old() -> None:
    assert first_kept_day(0) is None


def test_history_hides_what_the_next_run_deletes(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        save_one_a_day(5)
    new = predict(client)["id"]
    everything = client.get("/api/v1/predictions").get_json()["items"]
    assert len(everything) == 6
    monkeypatch.setitem(app.config, "RETENTION_DAYS", 2)
    kept = client.get("/api/v1/predictions").get_json()["items"]
    assert len(kept) == 4
    assert new in [each["id"] for each in kept]
    assert "4 drawings" in client.get("/history").text
    assert len(client.get("/history.csv").text.splitlines()) == 5
    assert client.get("/api/v1/predictions?from=2000-01-01").get_json()["items"] == kept
    assert client.get("/api/v1/predictions?to=2000-01-01").get_json()["items"] == []


def test_command_tells_what_it_deleted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    refused = CliRunner().invoke(main, ["prune"])
    assert refused.exit_code == 1
    assert "RETENTION_DAYS is 0" in refused.output
    with app.app_context():
        save_one_a_day(5)
    monkeypatch.setitem(app.config, "RETENTION_DAYS", 1)
    result = CliRunner().invoke(main, ["prune"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("3 drawings from before 2")
