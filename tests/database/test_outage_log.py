"""An outage is one line of the log, not one traceback for each request."""

import logging
from typing import Any

import pytest

from mnistweb.app import create_app
from mnistweb.database.outage_log import INTERVAL, OutageLog, first_line
from tests.support.clock import Clock
from tests.support.drawings import data_url, digit_png
from tests.support.faults import broken_log

IMAGE = data_url(digit_png(3))


def test_repeated_failures_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = OutageLog(clock)
    for _ in range(5):
        log.report("It failed:", ValueError("first\nsecond"))
    assert [record.getMessage() for record in caplog.records] == ["It failed: first"]
    clock.now += INTERVAL
    log.report("It failed:", ValueError("again"))
    assert caplog.records[-1].getMessage() == "It failed: again (4 more failures since the last line.)"


def test_message_without_lines_is_named_by_its_kind() -> None:
    assert first_line(ValueError()) == "ValueError"


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://127.0.0.1:1/nothing"])
def test_database_that_is_away_is_logged_once(
    unmigrated_settings: dict[str, Any], caplog: pytest.LogCaptureFixture, url: str
) -> None:
    client = create_app(
        unmigrated_settings | {"DATABASE_URL": url, "RATELIMIT_ENABLED": "false"}
    ).test_client()
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            assert client.post("/api/v1/predictions", json={"image": IMAGE}).get_json()["saved"] is False
            assert client.get("/history").status_code == 503
            assert client.get("/").status_code == 200
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 2  # by the connection, and by the first that needed it
    assert not [record for record in lines if record.exc_info]
    assert all("\n" not in record.getMessage() for record in lines)


def test_failing_statements_are_logged_once(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    with broken_log():
        for _ in range(5):
            assert client.post("/api/v1/predictions", json={"image": IMAGE}).get_json()["saved"] is False
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) <= 1
