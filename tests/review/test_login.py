"""Logins of reviewers."""

import time
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from mnistweb.app import create_app
from mnistweb.extensions import db
from mnistweb.review import session
from tests.support.clients import csrf_token
from tests.support.reviewers import PASSWORD, PASSWORD_HASH, log_in
from tests.support.rows import add, row

NOTHING = uuid.UUID(int=1)
"""The id of no drawing and of no decision."""
PAGES = ("/review", "/review/decisions", f"/review/{NOTHING}/drawing.png")


def test_the_right_password_leads_to_the_review(client: FlaskClient) -> None:
    response = log_in(client, "  Ada   Lovelace ")
    assert (response.status_code, response.location) == (303, "/review")
    cookie = response.headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith("review=")
    assert cookie.endswith("; Max-Age=3600; HttpOnly; Path=/; SameSite=Strict")
    assert "Log out Ada Lovelace" in client.get("/review").text
    assert client.get("/review/login").location == "/review"


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD_HASH])
def test_another_password_does_not(client: FlaskClient, password: str) -> None:
    response = log_in(client, password=password)
    assert response.status_code == 403
    assert "That isn’t the password." in response.text
    assert 'value="Ada"' in response.text
    assert client.get("/review").location == "/review/login"


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "Ada\x00"])
def test_a_reviewer_needs_a_name(client: FlaskClient, name: str) -> None:
    response = log_in(client, name)
    assert response.status_code == 422
    assert client.get("/review").status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_for_a_login_and_are_never_cached_nor_framed(
    app: Flask, client: FlaskClient, ada: FlaskClient, page: str
) -> None:
    app.config["EMBED_ORIGINS"] = ["https://lms.example.org"]
    for browser in (client, ada):
        response = browser.get(page)
        assert response.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert client.get(page).location == "/review/login"


@pytest.mark.parametrize("address", ["/review/decide", "/review/undo", f"/review/decisions/{NOTHING}/undo"])
def test_decisions_ask_for_a_login(app: Flask, client: FlaskClient, address: str) -> None:
    with app.app_context():
        [drawing] = add(row())
    form = {"csrf_token": csrf_token(client), "drawing": f"{drawing}::3", "decision": "accept"}
    response = client.post(address, data=form, headers={"X-Fragment": "true"})
    assert response.status_code == 403
    assert 'data-error="logged_out"' in response.text


def test_decisions_need_a_form_token(ada: FlaskClient) -> None:
    response = ada.post("/review/decide", data={"decision": "accept"})
    assert (response.status_code, response.headers["Cache-Control"]) == (400, "no-store")


def test_without_a_password_there_is_no_review(app: Flask, ada: FlaskClient) -> None:
    app.config["REVIEW_PASSWORD_HASH"] = ""
    for page in (*PAGES, "/review/login"):
        assert ada.get(page).status_code == 404
    assert log_in(ada).status_code == 404
    assert "/review" not in ada.get("/").text


def test_only_reviewers_see_the_link(client: FlaskClient, ada: FlaskClient) -> None:
    assert "/review" not in client.get("/history").text
    assert 'href="/review"' in ada.get("/history").text


def test_logging_out_deletes_the_cookie(ada: FlaskClient) -> None:
    response = ada.post("/review/logout", data={"csrf_token": csrf_token(ada)})
    assert response.location == "/review/login"
    assert ada.get_cookie("review") is None
    assert ada.get("/review").status_code == 302


def test_an_answer_on_its_way_undoes_no_logout(ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ada.get_cookie("review")
    now = time.time()
    for seconds, renewed in ((50, False), (62, True)):
        monkeypatch.setattr(time, "time", lambda: now + seconds)  # noqa: B023 (called in this turn)
        assert ada.get("/review").status_code == 200
        assert (ada.get_cookie("review") != before) == renewed


def test_a_changed_password_ends_all_logins(app: Flask, ada: FlaskClient) -> None:
    assert ada.get("/review").status_code == 200
    app.config["REVIEW_PASSWORD_HASH"] = generate_password_hash(PASSWORD, "scrypt:256:8:1")
    assert ada.get("/review").status_code == 302


def test_a_login_ends_an_hour_after_its_last_use(ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.time()
    for minutes, status in ((50, 200), (100, 200), (162, 302)):
        monkeypatch.setattr(time, "time", lambda: started + minutes * 60)  # noqa: B023 (called in this turn)
        assert ada.get("/review").status_code == status


def test_no_login_lasts_longer_than_half_a_day(ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.time()
    for hours in range(14):
        monkeypatch.setattr(time, "time", lambda: started + hours * 3500)  # noqa: B023
        assert ada.get("/review").status_code == (200 if hours * 3500 < session.LONGEST else 302)


def test_a_forged_cookie_is_worth_nothing(app: Flask, ada: FlaskClient, client: FlaskClient) -> None:
    cookie = ada.get_cookie("review")
    assert cookie is not None
    value, dot, signature = cookie.value.rpartition(".")
    client.set_cookie("review", value + dot + signature[::-1])
    assert client.get("/review").status_code == 302
    with app.test_request_context():
        visitor = ada.get_cookie("visitor")
    assert visitor is not None
    client.set_cookie("review", visitor.value)
    assert client.get("/review").status_code == 302


def test_over_tls_the_cookie_is_for_this_host_alone(app: Flask, ada: FlaskClient) -> None:
    client = app.test_client()
    secure: dict[str, Any] = {"base_url": "https://localhost", "headers": {"Referer": "https://localhost/"}}
    page = client.get("/review/login", **secure).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "name": "Ada", "password": PASSWORD}
    response = client.post("/review/login", data=form, **secure)
    cookie = response.headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith("__Host-review=")
    assert cookie.endswith("; SameSite=Strict; Secure")
    assert client.get("/review", **secure).status_code == 200
    plain = ada.get_cookie("review")
    assert plain is not None
    client.set_cookie("__Host-review", plain.value, secure=True)
    assert client.get("/review", **secure).status_code == 302


def test_attempts_are_limited(unmigrated_settings: dict[str, Any]) -> None:
    settings = {"RATELIMIT_LOGIN": "9,3", "REVIEW_PASSWORD_HASH": PASSWORD_HASH}
    app = create_app(unmigrated_settings | settings)
    client = app.test_client()
    client.get("/review/login")
    statuses = [
        client.post("/review/login", data={"name": "Ada", "password": "wrong"}).status_code for _ in range(4)
    ]
    assert statuses == [400, 400, 400, 429]  # without a form token
    assert client.get("/review/login").status_code == 200
    with app.app_context():
        db.engine.dispose()
