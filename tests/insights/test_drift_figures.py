"""The insights' section about drift."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from tests.support.rows import add, row


def fill(latest_refused: int, *, days: range = range(1, 36)) -> None:
    """Log 30 drawings of each day; on those of the latest week so many are refused, and none before."""
    image = np.full(784, 30, np.uint8).tobytes()
    made: list[Prediction] = []
    for ago in days:
        when = datetime.now(UTC).replace(hour=12) - timedelta(ago)
        refused = latest_refused if ago <= 7 else 0
        made += [
            row(when, digit=None if number < refused else 3, input=image, label=3, labelled_at=when)
            for number in range(30)
        ]
    add(*made)
    aggregates.recount(db.session())
    db.session.commit()


def section(client: FlaskClient) -> str:
    page = client.get("/insights").text
    return page[page.index('<section class="drift"') :]


def verdicts(text: str) -> dict[str, str]:
    """Return the verdict of each row of the table."""
    rows = re.findall(r'<tr data-verdict="(\w+)"><th scope="row">([^<]*)</th>', text)
    return {name: verdict for verdict, name in rows}


def test_changes_are_named_with_their_interval(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        fill(6)
    text = section(client)
    assert "Changed: Answered “not a digit”; Right, of the rated ones." in text
    assert verdicts(text) == {
        "Answered “not a digit”": "changed",
        "Digits in doubt": "same",
        "Right, of the rated ones": "changed",
        "Confidence": "same",
        "Ink": "same",
    }
    assert "<td>0.0 % of 840</td><td>20.0 % of 210</td><td>+20.0 points</td><td>+13.8 to " in text
    assert len(re.findall('<figure data-chart="drift-', text)) == 5
    assert text.count("Show as a table") == 5
    assert "20.0 % in the latest days, 0.0 % before: the dashed line." in text


def test_nothing_new_is_said_to_be_so(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        fill(0)
    assert "Nothing has changed that is more than chance." in section(client)


def test_young_site_has_no_verdict_and_no_charts(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        fill(0, days=range(1, 3))
    text = section(client)
    assert "There are too few drawings yet to tell." in text
    assert set(verdicts(text).values()) == {"few"}
    assert "<figure" not in text


def test_days_lead_to_their_drawings_where_the_history_is_public(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        fill(6, days=range(1, 20))
    found = re.findall(r'<a href="([^"]*digit=none[^"]*)"', section(client))
    assert len(found) == 19
    latest = client.get(found[-1].replace("&amp;", "&")).text
    assert re.search(r'<p class="filter-words">\s*6 of ', latest)
    app.config["PUBLIC_HISTORY"] = "own"
    assert "digit=none" not in section(client)


def test_windows_follow_the_settings(app: Flask, client: FlaskClient) -> None:
    app.config.update(DRIFT_DAYS=3, DRIFT_REFERENCE_DAYS=10)
    with app.app_context():
        fill(6)
    text = section(client)
    assert "The last 3 whole days (UTC) against the 10 days before" in text
    assert "<td>8.0 % of 300</td><td>20.0 % of 90</td>" in text
