import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from mnistweb.app import create_app
from mnistweb.extensions import db
from tests.support.databases import on_both_databases
from tests.support.sites import migrated_site


def test_liveness_probe_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


@on_both_databases
def test_readiness_probe_lists_the_models(client: FlaskClient) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert "cnn" in response.get_json()["models"]


def test_readiness_needs_the_migrations(
    unmigrated_settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(unmigrated_settings)
    with caplog.at_level(logging.INFO, "mnistweb.observability.access_log"):
        response = app.test_client().get("/readyz")
    assert [getattr(record, "error", None) for record in caplog.records] == ["not_ready"]
    assert response.status_code == 503
    assert response.get_json()["error"] == {
        "code": "not_ready",
        "message": "The database is not migrated.",
    }
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(("revision", "status"), [("of a newer version", 200), ("0016", 503), (None, 503)])
def test_readiness_tells_newer_migrations_from_missing_ones(
    tmp_path: Path, revision: str | None, status: int
) -> None:
    with migrated_site(tmp_path) as app, app.app_context():
        db.session.execute(sa.text("DELETE FROM alembic_version"))
        if revision:
            db.session.execute(sa.text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
        db.session.commit()
        assert app.test_client().get("/readyz").status_code == status


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_without_a_database_only_liveness_answers(
    unmigrated_settings: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    url = {
        "sqlite": f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3",
        "postgresql": "postgresql://127.0.0.1:1/nothing",
    }[kind]
    client = create_app(unmigrated_settings | {"DATABASE_URL": url}).test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["error"]["message"] == "The database cannot be reached."
    page = client.get("/history")
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert 'data-error="database_unavailable"' in page.text
    listing = client.get("/api/v1/predictions")
    assert (listing.status_code, listing.get_json()["error"]["code"]) == (503, "database_unavailable")
