"""The part of the insights on drawings that challenges asked for."""

import re
from datetime import UTC, date, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from mnistweb.extensions import db
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.prompted import load_prompted, prompted_chart
from mnistweb.insights.queries import load_insights
from mnistweb.predictions import aggregates
from tests.support.databases import run_on_both_databases
from tests.support.rows import add, row

pytest_generate_tests = run_on_both_databases
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def log(*readings: tuple[int | None, int | None], days: int = 0) -> None:
    """Log answers to prompts, some days ago, and rebuild the aggregates."""
    when = NOON - timedelta(days)
    add(*(row(when, prompt=prompt, digit=digit) for prompt, digit in readings))
    aggregates.recount(db.session())
    db.session.commit()


def test_accuracy_is_by_the_digit_asked_for(app: Flask) -> None:
    with app.app_context():
        log((4, 4), (4, 9), (4, 9), (7, 7), (7, None), (None, 3))
        log((4, 4), days=400)
        of_days = {days: load_insights(db.session(), days, TODAY) for days in (30, 365, None)}
        counts = {days: load_prompted(db.session(), each) for days, each in of_days.items()}
    assert {days: each[4] for days, each in counts.items()} == {
        30: {4: 1, 9: 2},
        365: {4: 1, 9: 2},
        None: {4: 2, 9: 2},
    }
    assert counts[30][7] == {7: 1, aggregates.NOT_A_DIGIT: 1}
    with app.test_request_context():
        chart = prompted_chart(counts[30], HistoryLinks())
    assert chart
    assert "2 of 5 right, 40.0 %" in chart.sentence
    assert "Most frequent mistake: 4 → 9, 2×." in chart.sentence
    four = chart.rows[4]
    assert [re.sub("<[^>]+>", "", cell) for cell in four] == ["4", "3", "1", "33.3 %", "6.1 % to 79.2 %"]
    assert "prompt=4&amp;digit=4" in four[2] or "digit=4&amp;prompt=4" in four[2]
    assert chart.rows[0][3] == "–"


def test_prompted_drawings_are_apart_from_the_rated_ones(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log((None, 3))
    assert "From the challenge" not in client.get("/insights").text
    with app.app_context():
        log((3, 3))
    page = client.get("/insights").text
    assert "From the challenge" in page
    assert "No answer is rated yet." in page
