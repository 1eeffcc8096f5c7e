"""A running site takes up the live versions of its models."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_database_app
from mnistweb.database.models import ModelVersion, Prediction, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.report import Layer, Report
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry import live, refresh
from mnistweb.registry.follower import Follower
from mnistweb.registry.recognizers import FORMER_CARDS, REPORTS, ZOO, refusal_threshold
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.clients import predict
from tests.support.clock import Clock
from tests.support.databases import run_on_both_databases
from tests.support.networks import other_version

pytest_generate_tests = run_on_both_databases
NAME = "lenet5"
INSTALLED = read_card(WEIGHTS / f"{NAME}.json").version
NEW = other_version(NAME)[1].version


@pytest.fixture
def follower(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    """The follower of the application, without its thread."""
    for key in (ZOO, REPORTS, FORMER_CARDS):
        monkeypatch.setitem(app.extensions, key, app.extensions[key])
    follower = refresh.make_follower(app)
    yield follower
    follower.stop()


@pytest.fixture
def promoted(app: Flask) -> None:
    """A second version, live, but not yet taken up."""
    with app.app_context():
        file, card = other_version(NAME)
        add_version(file, card, Report(NAME, NEW, (Layer("image", (1, 28, 28), 0),)), INSTALLED, "ada")
        promote(NAME, NEW, None, by="ada", reason="a test", force=True)


def answering(client: FlaskClient) -> str:
    answer = predict(client, 3, model=NAME)
    version: str = answer["model_version"]
    return version


def damage(app: Flask, file: bytes | None) -> None:
    with app.app_context():
        db.session.get_one(ModelVersion, (NAME, NEW)).file = file
        db.session.commit()


def test_a_promoted_version_answers_and_is_rolled_back(
    app: Flask, client: FlaskClient, follower: Follower, promoted: None
) -> None:
    versions = [answering(client)]
    follower.refresh()
    versions.append(answering(client))
    with app.app_context():
        rollback(NAME, by="ada")
    follower.refresh()
    versions.append(answering(client))
    assert versions == [INSTALLED, NEW, INSTALLED]
    with app.app_context():
        rows = db.session.query(Prediction).order_by(Prediction.created_at).all()
        assert [row.model_version for row in rows] == versions


def test_pages_and_api_tell_the_version_that_answers(
    client: FlaskClient, follower: Follower, promoted: None
) -> None:
    follower.refresh()
    models = {each["name"]: each["version"] for each in client.get("/api/v1/models").get_json()["items"]}
    assert models[NAME] == NEW
    page = client.get(f"/models/{NAME}").text
    assert f"<dd>{NEW}</dd>" in page
    assert "How it is built" in page


def test_boundaries_of_the_site_hold_for_a_promoted_version(
    app: Flask, promoted: None, migrated_copy: dict[str, Any]
) -> None:
    from mnistweb.app import create_app

    site = create_app(migrated_copy | {"SURE_FROM": "0.99", "NOT_A_DIGIT_FROM": "0.98"})
    follower = refresh.make_follower(site)
    follower.refresh()
    follower.stop()
    card = site.extensions[ZOO].get(NAME).card
    assert (card.version, card.boundaries.sure, card.boundaries.not_a_digit) == (NEW, 0.99, 0.98)


@pytest.fixture
def migrated_copy(app: Flask, tmp_path: Path) -> dict[str, Any]:
    """The settings of another application on the same database."""
    return {
        "DATABASE_URL": app.config["DATABASE_URL"],
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": app.config["SECRET_KEY"],
        "TESTING": True,
    }


def test_an_answer_given_a_moment_ago_keeps_its_threshold(
    app: Flask, client: FlaskClient, follower: Follower, promoted: None
) -> None:
    with app.app_context():
        before = refusal_threshold(NAME, INSTALLED)
        assert before is not None
        follower.refresh()
        assert refusal_threshold(NAME, INSTALLED) == before
        assert refusal_threshold(NAME, NEW) is not None
        assert refusal_threshold(NAME, "0123456789ab") is None


def test_a_process_that_starts_late_knows_the_version_before(
    app: Flask, follower: Follower, promoted: None
) -> None:
    file, card = other_version(NAME, 2)
    with app.app_context():
        add_version(file, card, None, NEW, "ada")
        promote(NAME, card.version, None, by="ada", reason="a test", force=True)
        follower.refresh()
        assert refusal_threshold(NAME, NEW) is not None


@pytest.mark.parametrize("file", [b"PK damaged", b"", None])
def test_a_damaged_file_leaves_the_version_before(
    app: Flask,
    client: FlaskClient,
    follower: Follower,
    promoted: None,
    caplog: pytest.LogCaptureFixture,
    file: bytes | None,
) -> None:
    damage(app, file)
    for _ in range(3):
        follower.refresh()
    assert answering(client) == INSTALLED
    assert client.get("/readyz").status_code == 200
    [line] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert f"goes on answering with version {INSTALLED}" in line.message


def test_a_version_that_failed_is_tried_again_ever_more_seldom(
    app: Flask, client: FlaskClient, follower: Follower, promoted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("mnistweb.registry.follower.monotonic", clock)
    reads: list[float] = []
    read = live.read_model

    def counting(*arguments: Any) -> Any:
        reads.append(clock())
        return read(*arguments)

    monkeypatch.setattr(live, "read_model", counting)
    damage(app, b"")
    for _ in range(60):
        follower.refresh()
        clock.now += 1
    assert [round(time - reads[0]) for time in reads] == [0, 2, 6, 14, 30]
    damage(app, other_version(NAME)[0])
    clock.now += 60
    follower.refresh()
    assert answering(client) == NEW


def test_without_the_database_the_models_stay(
    app: Flask,
    client: FlaskClient,
    follower: Follower,
    promoted: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("", None, Exception("away"))

    follower.refresh()
    with monkeypatch.context() as patch:
        patch.setattr(live, "live_versions", fail)
        for _ in range(3):
            follower.refresh()
    assert answering(client) == NEW
    follower.refresh()
    told = [each.message for each in caplog.records if "live versions" in each.message]
    assert len(told) == 2
    assert told[1].endswith("can be read again.")


def test_a_database_from_before_a_promotion_brings_the_installed_version_back(
    app: Flask, client: FlaskClient, follower: Follower, promoted: None
) -> None:
    follower.refresh()
    with app.app_context():
        db.session.query(Promotion).delete()
        db.session.commit()
    follower.refresh()
    assert answering(client) == INSTALLED


def test_the_thread_takes_a_version_up(
    client: FlaskClient, app: Flask, follower: Follower, promoted: None
) -> None:
    follower.start()
    assert answering(client) == NEW


def test_another_name_s_card_is_no_version(
    app: Flask, client: FlaskClient, follower: Follower, promoted: None
) -> None:
    with app.app_context():
        row = db.session.get_one(ModelVersion, (NAME, NEW))
        row.card = {**row.card, "name": "cnn"}
        db.session.commit()
    follower.refresh()
    assert answering(client) == INSTALLED


def test_an_application_without_models_follows_none(unmigrated_settings: dict[str, Any]) -> None:
    app = create_database_app(unmigrated_settings)
    refresh.start(app)
    refresh.stop(app)
    assert refresh.FOLLOWER not in app.extensions
