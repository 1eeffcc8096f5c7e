"""Queries of the insights, and their page."""

import html
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from mnistweb.extensions import db
from mnistweb.insights.bins import rated_bins
from mnistweb.insights.figures import insight_charts
from mnistweb.insights.hardest import hardest_drawings
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.queries import DIGITS, TIME_RANGES, Answers, Insights, Period, load_insights
from mnistweb.insights.wording import days_name, most_frequent_mistakes
from mnistweb.predictions import aggregates
from mnistweb.predictions.aggregates import NOT_A_DIGIT
from mnistweb.predictions.drift import EXTENSION, current_drift
from mnistweb.proportion import Proportion
from mnistweb.recognition.boundaries import Certainty
from tests.support.clients import assert_refused
from tests.support.databases import on_both_databases
from tests.support.quick import QUICK
from tests.support.rows import add, row

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def log(*rows: dict[str, Any]) -> None:
    """Log predictions and rebuild the aggregates; `ago` is in days, and `label` adds feedback."""
    made = []
    for fields in rows:
        when = fields.pop("now", NOON) - timedelta(days=fields.pop("ago", 0))
        labelled = {"labelled_at": when} if "label" in fields else {}
        made.append(row(when, **fields, **labelled))
    add(*made)
    aggregates.recount(db.session())
    db.session.commit()


def insights_of(days: int | None = None) -> Insights:
    return load_insights(db.session(), days, TODAY)


@on_both_databases
def test_empty_log_has_no_insights(app: Flask) -> None:
    with app.app_context():
        for days in TIME_RANGES:
            insights = insights_of(days)
            assert (insights.total.predictions, list(insights.periods), list(insights.confidence_bins)) == (
                0,
                [],
                [],
            )
            assert list(insight_charts(insights, {}, HistoryLinks())) == []


@on_both_databases
def test_insights_equal_counts_of_the_log(app: Flask) -> None:
    with app.app_context():
        log(
            {"digit": 3, "label": 3, "confidence": 0.98},
            {"digit": 3, "label": 3, "confidence": 0.92, "model": "linear"},
            {"digit": 3, "label": 8, "confidence": 0.65, "doubtful": True},
            {"digit": 3, "ago": 2},
            {"digit": None, "label": None, "confidence": 0.95, "ago": 2},
            {"digit": None, "label": 7, "confidence": 0.61, "ago": 2},
            {"digit": None, "ago": 2},
            {"digit": 5, "label": None, "confidence": 0.3, "ago": 2, "model": "linear", "doubtful": True},
        )
        insights = insights_of()
    assert insights.unit == "day"
    assert [period.start.day for period in insights.periods] == [20, 21, 22]
    first, between, last = insights.periods
    assert (first.predictions, first.labelled, first.correct) == (5, 3, 1)
    assert first.refusals_by_feedback == {"right": 1, "wrong": 1, "open": 1}
    assert first.refusal_rate == Proportion(3, 5)
    assert between.predictions == 0
    assert last.accuracy == Proportion(2, 3)
    assert insights.total.accuracy == Proportion(3, 6)
    assert insights.total.refusal_accuracy == Proportion(1, 2)
    matrix = insights.confusion_matrix
    assert {(label, digit): n for label, cells in matrix.items() for digit, n in cells.items() if n} == {
        (3, 3): 2, (8, 3): 1, (NOT_A_DIGIT, NOT_A_DIGIT): 1, (7, NOT_A_DIGIT): 1, (NOT_A_DIGIT, 5): 1,
    }  # fmt: skip
    assert insights.recall_by_digit()[3] == Proportion(2, 2)
    assert insights.recall_by_digit()[NOT_A_DIGIT] == Proportion(1, 2)
    assert insights.recall_by_digit()[0] == Proportion(0, 0)
    assert insights.models() == {"cnn": (6, Proportion(2, 4)), "linear": (2, Proportion(1, 2))}
    assert insights.by_certainty() == {
        Certainty.SURE: Answers(3, 2, 2),
        Certainty.DOUBTFUL: Answers(2, 2, 0),
        Certainty.NOT_A_DIGIT: Answers(3, 2, 1),
    }
    bins = {each.number: (each.accuracy, round(each.confidence, 6)) for each in insights.confidence_bins}
    assert bins == {9: (Proportion(3, 3), 0.95), 6: (Proportion(0, 2), 0.63), 3: (Proportion(0, 1), 0.3)}


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
def test_longer_ranges_use_longer_units(
    app: Flask, oldest: int, days: int | None, unit: str, points: int, counted: int
) -> None:
    with app.app_context():
        log(*[{"ago": ago} for ago in {0, oldest}])
        insights = insights_of(days)
    assert (insights.unit, len(insights.periods), insights.total.predictions) == (unit, points, counted)


@on_both_databases
def test_predictions_in_the_future_are_included(app: Flask) -> None:
    with app.app_context():
        log({}, {"ago": -2})
        assert len(insights_of().periods) == 3


@on_both_databases
def test_rows_with_a_count_of_zero_are_ignored(app: Flask) -> None:
    with app.app_context():
        log({"ago": 400}, {})
        session = db.session()
        session.execute(text("UPDATE tally SET count = 0 WHERE start < '2026-01-01'"))
        session.commit()
        assert [period.start for period in insights_of().periods] == [date(2026, 11, 1)]


def cells(page: str, kind: str) -> list[list[str]]:
    """Return the cells of a chart's table, without its head."""
    [figure] = re.findall(rf'<figure data-chart="{kind}".*?</figure>', page, re.DOTALL)
    body = figure.split("<tbody>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]", row)]
        for row in rows
    ]


def tooltips(page: str, kind: str) -> list[str]:
    """Return the tooltips of a chart."""
    [figure] = re.findall(rf'<figure data-chart="{kind}".*?</figure>', page, re.DOTALL)
    return [html.unescape(title) for title in re.findall(r"<title>(.*?)</title>", figure)]


def sample(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "now": now,
            "ago": ago % 40,
            "digit": DIGITS[ago % 11] if ago % 11 < 10 else None,
            "confidence": 1 - (ago % 9) / 20,
            "doubtful": ago % 11 < 10 and ago % 9 > 5,
            "model": ("cnn", "<b>&\"'</b>")[ago % 2],
            **(
                {"label": None if (ago * 3) % 11 > 9 else (ago + (ago % 5 == 0)) % 11 % 10} if ago % 3 else {}
            ),
        }
        for ago in range(160)
    ]


@on_both_databases
def test_charts_equal_their_tables(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log(*sample(datetime.now(UTC)))
    page = client.get("/insights").text
    for kind, part, count in (("time", 2, 1), ("digit", 2, 1), ("network", 3, 2), ("reliability", 3, 2)):
        table = [row for row in cells(page, kind) if row[count] != "0"]
        shown = [f"{row[part]} of {row[count]}, {row[part + 1]}" for row in table]
        assert shown
        assert [title.split(": ")[-1] for title in tooltips(page, kind)] == shown
    table = cells(page, "refusals")
    shown = [f"{row[2]} of {row[1]}, {row[3]}" for row in table]
    assert [title.split(": ")[1] for title in tooltips(page, "refusals")] == shown
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


def test_empty_log_suggests_drawing(client: FlaskClient) -> None:
    page = client.get("/insights")
    assert page.status_code == 200
    assert "Nothing to count yet" in page.text
    assert '<svg class="chart"' not in page.text


def test_empty_range_links_to_all_time(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC), "ago": 50})
    page = client.get("/insights?days=30").text
    assert "No drawings in this period" in page
    assert 'href="/insights">Show all time' in page


def test_without_feedback_only_shares_are_shown(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC)})
    page = client.get("/insights").text
    assert re.findall(r'data-chart="(\w+)"', page) == ["certainty", "refusals"]
    assert "No answer is rated yet" in page


@pytest.mark.parametrize("query", ["?days=7", "?days=", "?days=-1", "?days=None", "?days=%00"])
def test_other_ranges_are_not_found(client: FlaskClient, query: str) -> None:
    assert_refused(client.get(f"/insights{query}"), 404, "not_found")


def test_insights_need_a_public_history(app: Flask, client: FlaskClient) -> None:
    assert 'href="/insights"' in client.get("/").text
    app.config["PUBLIC_HISTORY"] = "off"
    assert 'href="/insights"' not in client.get("/").text
    assert_refused(client.get("/insights"), 404, "not_found")


def links(page: str, kind: str) -> dict[str, str]:
    """Return the addresses of a chart's links, in picture and table, by their names."""
    [figure] = re.findall(rf'<figure data-chart="{kind}".*?</figure>', page, re.DOTALL)
    found = re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"', figure)
    return {html.unescape(name): html.unescape(address) for address, name in found}


def counted(kind: str, name: str) -> str:
    """Return the number of drawings that the name of a link promises."""
    if share := re.search(r": ([\d,]+) of ([\d,]+), [^,]*$", name):
        return share[1] if kind == "refusals" else share[2]
    cell = re.match(r"([\d,]+) (rated|right|drawings|“not a digit”)", name)
    return cell[1] if cell else name.rpartition(": ")[2]


def assert_leads_to_its_drawings(client: FlaskClient, kind: str, found: dict[str, str]) -> None:
    """Check that each of these links leads to as many drawings as its name says."""
    pages: dict[str, str] = {}
    for name, address in found.items():
        if address not in pages:
            pages[address] = client.get(address).text
        hits = re.search(r'<p class="filter-words">\s*([\d,]+) of ', pages[address])
        assert hits, name
        assert hits[1] == counted(kind, name), (kind, name, address)


@pytest.mark.parametrize("days", ["", "?days=30"])
def test_every_count_leads_to_its_drawings(app: Flask, client: FlaskClient, days: str) -> None:
    with app.app_context():
        log(*sample(datetime.now(UTC)))
    page = client.get(f"/insights{days}").text
    for kind in ("time", "digit", "network", "refusals", "confusion", "reliability"):
        found = links(page, kind)
        assert found
        assert_leads_to_its_drawings(client, kind, dict(list(found.items())[:: 3 if QUICK else 1]))


def test_counts_of_days_that_are_not_kept_lead_nowhere(app: Flask, client: FlaskClient) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        log(
            *({"now": now, "ago": 1, "digit": None, "label": 3} for _ in range(2)),
            *({"now": now, "ago": 25, "digit": None, "label": 3} for _ in range(30)),
        )
    app.config["RETENTION_DAYS"] = 10
    page = client.get("/insights").text
    assert "0 of 32 right" in page
    for kind in ("time", "digit", "network", "certainty", "confusion", "reliability"):
        assert links(page, kind) == {}
    [yesterday] = links(page, "drift-refused").values()
    assert client.get(yesterday).text.count("data-prediction-row") == 2
    refusals = links(page, "refusals")
    assert len(refusals) == 4  # of yesterday alone
    assert_leads_to_its_drawings(client, "refusals", refusals)
    # The history hides nothing that these count.
    app.config["RETENTION_DAYS"] = 25
    page = client.get("/insights").text
    for kind in ("time", "digit", "network", "refusals", "confusion", "reliability"):
        assert links(page, kind)
        assert_leads_to_its_drawings(client, kind, links(page, kind))


def test_shares_of_the_certainties_are_shown(app: Flask, client: FlaskClient) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        log(
            *({"now": now, "label": 3} for _ in range(6)),
            *({"now": now, "doubtful": True, "label": label} for label in (3, 8)),
            {"now": now, "doubtful": True},
            {"now": now, "digit": None, "label": None},
        )
    page = client.get("/insights").text
    assert "60.0 % of all answers were sure digits, 30.0 % digits in doubt, 10.0 % “not a digit”." in page
    found = links(page, "certainty")
    address = html.unescape(found["3 drawings: Digits in doubt"])
    assert client.get(address).text.count("data-prediction-row") == 3
    address = html.unescape(found["1 right: Digits in doubt"])
    assert client.get(address).text.count("data-prediction-row") == 1


def test_doubt_that_an_older_version_left_counted_does_no_harm(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC), "label": 3}, {"now": datetime.now(UTC), "label": 3, "doubtful": True})
        db.session.execute(text("UPDATE doubt_tally SET count = 5"))
        db.session.commit()
    assert client.get("/insights").status_code == 200


def test_without_a_public_history_nothing_leads_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log(*sample(datetime.now(UTC)))
    app.config["PUBLIC_HISTORY"] = "own"
    page = client.get("/insights").text
    assert len(re.findall('<figure data-chart="(?!drift)', page)) == 7
    assert 'href="/history?' not in page
    assert "/predictions/" not in page
    assert "hardest" not in page


@on_both_databases
def test_hardest_drawings_of_the_latest_day_are_shown(app: Flask, client: FlaskClient) -> None:
    now = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    with app.app_context():
        log(
            {"now": now, "model_version": "wrong", "confidence": 0.8, "label": 8},
            {"now": now, "model_version": "surely wrong", "confidence": 0.99, "label": 8},
            {"now": now, "model_version": "unsure", "confidence": 0.5},
            {"now": now, "model_version": "least sure", "confidence": 0.2, "label": 3},
            {"now": now, "model_version": "sure", "confidence": 0.98},
            {"now": now, "ago": 1, "model_version": "yesterday", "confidence": 0.1, "label": 8},
        )
        found = hardest_drawings(lambda criteria: criteria.conditions(""))
        assert found
        assert found.day == now.date()
        assert [each.model_version for each in found.predictions] == [
            "surely wrong",
            "wrong",
            "least sure",
            "unsure",
        ]
    page = client.get("/insights").text
    assert "Today’s hardest drawings" in page
    assert page.count('class="gallery-tile"') == 4
    all_of_them = re.search(r'href="([^"]+)">All of that day', page)
    assert all_of_them
    assert client.get(html.unescape(all_of_them[1])).text.count('class="gallery-tile"') == 5


def test_hardest_drawings_of_an_earlier_day_are_dated(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"ago": 3, "confidence": 0.2, "now": datetime(2026, 1, 10, 12, tzinfo=UTC)})
    assert "The hardest drawings of 7 Jan 2026" in client.get("/insights").text


def test_a_day_of_sure_and_right_answers_has_no_hard_drawings(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        log({"now": datetime.now(UTC), "confidence": 0.99, "label": 3})
    assert "hardest" not in client.get("/insights").text


@pytest.mark.parametrize(
    ("labelled", "bins"),
    [
        ([], []),
        ([5], [5]),
        ([20, 20], [20, 20]),
        ([5, 0, 15, 0, 30, 3], [20, 33]),
        ([0, 0, 25], [25]),
        ([19, 1, 19], [39]),
    ],
)
def test_periods_are_joined_until_enough_is_rated(labelled: list[int], bins: list[int]) -> None:
    periods = [
        Period(TODAY + timedelta(number), rated, rated, rated // 2) for number, rated in enumerate(labelled)
    ]
    found = rated_bins(Insights("day", None, periods, Counter(), Answers(0, 0, 0), []))
    assert [each.accuracy.total for each in found] == bins
    assert [each.start for each in found[1:]] == [each.last + timedelta(1) for each in found[:-1]]
    assert sum(each.accuracy.part for each in found) == sum(rated // 2 for rated in labelled)
    if found:
        assert (found[0].start, found[-1].last) == (periods[0].start, periods[-1].start)


@pytest.mark.parametrize(
    ("start", "last", "unit", "name"),
    [
        (date(2026, 11, 3), date(2026, 11, 3), "day", "3 Nov 2026"),
        (date(2026, 11, 3), date(2026, 11, 9), "day", "3 Nov to 9 Nov 2026"),
        (date(2025, 12, 29), date(2026, 1, 4), "week", "29 Dec 2025 to 4 Jan 2026"),
        (date(2026, 11, 1), date(2026, 11, 30), "month", "Nov 2026"),
        (date(2026, 1, 1), date(2026, 3, 31), "month", "Jan to Mar 2026"),
        (date(2024, 1, 1), date(2026, 12, 31), "year", "2024 to 2026"),
    ],
)
def test_ranges_of_days_are_named(start: date, last: date, unit: str, name: str) -> None:
    assert days_name(start, last, unit) == name


@pytest.mark.parametrize(
    ("mistakes", "sentence"),
    [
        ({}, ""),
        ({(1, 7): 1, (3, 8): 1}, " No mistake has happened twice."),
        ({(1, 7): 2, (3, 8): 1}, " Most frequent mistake: 1 → 7, 2×."),
        ({(1, 7): 3, (3, NOT_A_DIGIT): 3}, " Most frequent mistakes, 3× each: 1 → 7 and 3 → none."),
        (
            {(1, 7): 2, (3, 8): 2, (4, 9): 2},
            " Most frequent mistakes, 2× each: 1 → 7, 3 → 8 and 4 → 9.",
        ),
        (
            {(1, 7): 2, (3, 8): 2, (4, 9): 2, (5, 6): 2, (7, 1): 2},
            " Most frequent mistakes, 2× each: 1 → 7, 3 → 8, 4 → 9 and 2 more.",
        ),
    ],
)
def test_most_frequent_mistakes_are_named(mistakes: dict[tuple[int, int], int], sentence: str) -> None:
    matrix = {label: {digit: mistakes.get((label, digit), 0) for digit in DIGITS} for label in DIGITS}
    assert most_frequent_mistakes(matrix) == sentence


@on_both_databases
def test_charts_read_only_the_aggregates(app: Flask, client: FlaskClient) -> None:
    statements: list[tuple[str, Any]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("EXPLAIN", "SET")):
            statements.append((statement, parameters))

    app.config["PUBLIC_HISTORY"] = "own"  # without the hardest drawings
    with app.app_context():
        log(*sample(datetime.now(UTC)))
        current_drift()  # of which the page takes what is held
        engine = db.engine
        held = app.extensions[EXTENSION]
    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert client.get("/insights").status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert app.extensions[EXTENSION] is held
    assert len(statements) == 6
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with Session(engine) as session:
        for statement, parameters in statements:
            plan = session.connection().exec_driver_sql(f"{explain} {statement}", parameters)
            assert "prediction" not in "\n".join(str(line) for line in plan)
