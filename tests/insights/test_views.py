"""The figures of the insights, and their page."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from mnistweb.extensions import db
from mnistweb.insights.figures import insight_charts
from mnistweb.insights.queries import DIGITS, PERIODS, Insights, gather
from mnistweb.predictions import aggregates as tallies
from mnistweb.predictions.aggregates import NONE
from mnistweb.proportion import Proportion
from tests.support.clients import assert_refused
from tests.support.databases import on_both_databases
from tests.support.rows import add, row

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def log(*rows: dict[str, Any]) -> None:
    """Log and count predictions; `ago` in days, `label` makes it labelled."""
    made = []
    for fields in rows:
        when = fields.pop("now", NOON) - timedelta(days=fields.pop("ago", 0))
        labelled = {"labelled_at": when} if "label" in fields else {}
        made.append(row(when, **fields, **labelled))
    add(*made)
    tallies.recount(db.session())
    db.session.commit()


def gathered(days: int | None = None) -> Insights:
    return gather(db.session(), days, TODAY)


@on_both_databases
def test_without_a_log_there_is_nothing(app: Flask) -> None:
    with app.app_context():
        for days in PERIODS:
            insights = gathered(days)
            assert (insights.whole.predictions, list(insights.stretches), list(insights.tenths)) == (
                0,
                [],
                [],
            )
            assert list(insight_charts(insights, {})) == []


@on_both_databases
def test_the_figures_are_those_of_the_log(app: Flask) -> None:
    with app.app_context():
        log(
            {"digit": 3, "label": 3, "confidence": 0.98},
            {"digit": 3, "label": 3, "confidence": 0.92, "model": "linear"},
            {"digit": 3, "label": 8, "confidence": 0.65},
            {"digit": 3, "ago": 2},
            {"digit": None, "label": None, "confidence": 0.95, "ago": 2},
            {"digit": None, "label": 7, "confidence": 0.61, "ago": 2},
            {"digit": None, "ago": 2},
            {"digit": 5, "label": None, "confidence": 0.3, "ago": 2, "model": "linear"},
        )
        insights = gathered()
    assert insights.unit == "day"
    assert [stretch.start.day for stretch in insights.stretches] == [20, 21, 22]
    first, between, last = insights.stretches
    assert (first.predictions, first.labelled, first.correct) == (5, 3, 1)
    assert first.judged_refusals == {"right": 1, "wrong": 1, "open": 1}
    assert first.refusals == Proportion(3, 5)
    assert between.predictions == 0
    assert last.right == Proportion(2, 3)
    assert insights.whole.right == Proportion(3, 6)
    assert insights.whole.right_refusals == Proportion(1, 2)
    matrix = insights.matrix
    assert {(label, digit): n for label, cells in matrix.items() for digit, n in cells.items() if n} == {
        (3, 3): 2, (8, 3): 1, (NONE, NONE): 1, (7, NONE): 1, (NONE, 5): 1,
    }  # fmt: skip
    assert insights.digits()[3] == Proportion(2, 2)
    assert insights.digits()[NONE] == Proportion(1, 2)
    assert insights.digits()[0] == Proportion(0, 0)
    assert insights.networks() == {"cnn": (6, Proportion(2, 4)), "linear": (2, Proportion(1, 2))}
    found = {each.tenth: (each.right, round(each.confidence, 6)) for each in insights.tenths}
    assert found == {9: (Proportion(3, 3), 0.95), 6: (Proportion(0, 2), 0.63), 3: (Proportion(0, 1), 0.3)}


@on_both_databases
@pytest.mark.parametrize(
    ("oldest", "days", "unit", "points", "counted"),
    [
        (0, None, "day", 1, 1),
        (44, None, "day", 45, 2),
        (45, None, "week", 7, 2),
        (99, None, "week", 15, 2),
        (100, None, "month", 4, 2),
        (700, None, "month", 24, 2),
        (3000, None, "year", 9, 2),
        (29, 30, "day", 30, 2),
        (30, 30, "day", 1, 1),
        (60, 365, "week", 9, 2),
        (330, 365, "month", 12, 2),
        (700, 365, "month", 1, 1),
    ],
)
def test_a_longer_time_is_shown_in_longer_units(
    app: Flask, oldest: int, days: int | None, unit: str, points: int, counted: int
) -> None:
    with app.app_context():
        log(*[{"ago": ago} for ago in {0, oldest}])
        insights = gathered(days)
    assert (insights.unit, len(insights.stretches), insights.whole.predictions) == (unit, points, counted)


@on_both_databases
def test_a_clock_that_is_ahead_breaks_nothing(app: Flask) -> None:
    with app.app_context():
        log({}, {"ago": -2})
        assert len(gathered().stretches) == 3


@on_both_databases
def test_rows_whose_count_has_become_zero_are_as_none(app: Flask) -> None:
    with app.app_context():
        log({"ago": 400}, {})
        session = db.session()
        session.execute(text("UPDATE tally SET count = 0 WHERE start < '2026-01-01'"))
        session.commit()
        assert [stretch.start for stretch in gathered().stretches] == [date(2026, 11, 1)]


def cells(page: str, kind: str) -> list[list[str]]:
    """The table of a chart, without its head."""
    [figure] = re.findall(rf'<figure data-chart="{kind}".*?</figure>', page, re.DOTALL)
    body = figure.split("<tbody>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t", row)] for row in rows]


def titles(page: str, kind: str) -> list[str]:
    """What stands at the marks of a chart."""
    [figure] = re.findall(rf'<figure data-chart="{kind}".*?</figure>', page, re.DOTALL)
    return [html.unescape(title) for title in re.findall(r"<title>(.*?)</title>", figure)]


def sample(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "now": now,
            "ago": ago % 40,
            "digit": DIGITS[ago % 11] if ago % 11 < 10 else None,
            "confidence": 1 - (ago % 9) / 20,
            "model": ("cnn", "<b>&\"'</b>")[ago % 2],
            **(
                {"label": None if (ago * 3) % 11 > 9 else (ago + (ago % 5 == 0)) % 11 % 10} if ago % 3 else {}
            ),
        }
        for ago in range(160)
    ]


@on_both_databases
def test_every_chart_has_the_same_numbers_as_its_table(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log(*sample(datetime.now(UTC)))
    page = client.get("/insights").text
    for kind, part, count in (("time", 2, 1), ("digit", 2, 1), ("network", 3, 2), ("reliability", 3, 2)):
        table = [row for row in cells(page, kind) if row[count] != "0"]
        shown = [f"{row[part]} of {row[count]}, {row[part + 1]}" for row in table]
        assert shown
        assert [title.split(": ")[-1] for title in titles(page, kind)] == shown
    table = cells(page, "refusals")
    shown = [f"{row[2]} of {row[1]}, {row[3]}" for row in table]
    assert [title.split(": ")[1] for title in titles(page, "refusals")] == shown
    confusion = cells(page, "confusion")
    numbers = [cell for row in confusion for cell in row[1:] if cell != "0"]
    assert re.findall(r'<text class="count"[^>]*>(\d+)</text>', page) == numbers
    labelled = sum(int(row[1]) for row in cells(page, "time"))
    assert sum(map(int, numbers)) == labelled
    assert sum(int(row[2]) for row in cells(page, "network")) == labelled
    assert sum(int(row[2]) for row in cells(page, "reliability")) == labelled
    assert 'data-chart="confusion"' in client.get("/insights?days=30").text


def test_names_are_escaped_and_nothing_is_inline(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log(*sample(datetime.now(UTC)))
    page = client.get("/insights").text
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", page)


def test_an_empty_log_invites_to_draw(client: FlaskClient) -> None:
    page = client.get("/insights")
    assert page.status_code == 200
    assert "Nothing to count yet" in page.text
    assert '<svg class="chart"' not in page.text


def test_an_empty_month_leads_to_all_time(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC), "ago": 50})
    page = client.get("/insights?days=30").text
    assert "No drawings in this period" in page
    assert 'href="/insights">Show all time' in page


def test_without_feedback_only_the_refusals_are_drawn(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC)})
    page = client.get("/insights").text
    assert re.findall(r'data-chart="(\w+)"', page) == ["refusals"]
    assert "No answer is rated yet" in page


@pytest.mark.parametrize("query", ["?days=7", "?days=", "?days=-1", "?days=None", "?days=%00"])
def test_another_period_is_not_to_be_had(client: FlaskClient, query: str) -> None:
    assert_refused(client.get(f"/insights{query}"), 404, "not_found")


def test_where_there_is_no_public_history_there_are_no_insights(app: Flask, client: FlaskClient) -> None:
    assert 'href="/insights"' in client.get("/").text
    app.config["PUBLIC_HISTORY"] = "off"
    assert 'href="/insights"' not in client.get("/").text
    assert_refused(client.get("/insights"), 404, "not_found")


@on_both_databases
def test_the_page_reads_the_tallies_alone(app: Flask, client: FlaskClient) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("EXPLAIN", "SET")):
            asked.append((statement, parameters))

    with app.app_context():
        log(*sample(datetime.now(UTC)))
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert client.get("/insights").status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert len(asked) == 4
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with Session(engine) as session:
        for statement, parameters in asked:
            plan = session.connection().exec_driver_sql(f"{explain} {statement}", parameters)
            assert "prediction" not in "\n".join(str(line) for line in plan)
