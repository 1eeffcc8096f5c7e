"""Form tokens: of this site, of this visitor, and not for ever."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.web.visitors import COOKIE, HOST_COOKIE, known_visitor
from tests.support.clients import assert_refused, csrf_token, predict
from tests.support.drawings import data_url, digit_png

TLS = "https://localhost"
IMAGE = data_url(digit_png(3))


def send(client: FlaskClient, token: str, **headers: str) -> int:
    form = {"image": IMAGE, "csrf_token": token}
    base = TLS if headers else "http://localhost"
    return client.post("/predictions", data=form, base_url=base, headers=headers).status_code


def test_token_is_of_one_visitor(client: FlaskClient, stranger: FlaskClient) -> None:
    token, foreign = csrf_token(client), csrf_token(stranger)
    assert send(client, token) == 303
    assert send(client, foreign) == 400
    # The visitor's cookie alone decides, whichever other cookies come along.
    cookie = client.get_cookie(COOKIE)
    assert cookie
    stranger.set_cookie(COOKIE, cookie.value)
    assert send(stranger, foreign) == 400
    assert send(stranger, token) == 303


def test_token_does_not_show_the_visitor(app: Flask, client: FlaskClient) -> None:
    token = csrf_token(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={cookie.value}"}):
        assert known_visitor()
        assert known_visitor() not in token


def test_token_may_come_in_a_header(client: FlaskClient) -> None:
    token = csrf_token(client)
    response = client.post("/predictions", data={"image": IMAGE}, headers={"X-CSRFToken": token})
    assert response.status_code == 303


def test_page_needs_no_second_cookie(client: FlaskClient) -> None:
    assert len(client.get("/").headers.getlist("Set-Cookie")) == 1


@pytest.mark.parametrize("headers", [{}, {"X-Fragment": "true"}])
def test_browser_without_cookies_is_told_so(app: Flask, headers: dict[str, str]) -> None:
    browser = app.test_client(use_cookies=False)
    token = csrf_token(browser)
    response = browser.post("/predictions", data={"image": IMAGE, "csrf_token": token}, headers=headers)
    assert_refused(response, 400, "cookie_missing")
    assert "allow cookies for this site" in response.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": TLS}, 303),
        ({"Referer": f"{TLS}/?answer=1"}, 303),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "https://["}, 400),
        ({"Referer": "https://[::1"}, 400),
        ({"Origin": "http://localhost"}, 400),
        ({"Referer": "https://localhost.evil.example/"}, 400),
        ({"X-Other": "neither"}, 400),
    ],
)
def test_form_over_tls_must_come_from_this_site(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    page = client.get("/", base_url=TLS).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert send(client, token, **headers) == status


def test_cookie_over_tls_belongs_to_the_host(client: FlaskClient) -> None:
    [header] = client.get("/", base_url=TLS).headers.getlist("Set-Cookie")
    assert header.startswith(f"{HOST_COOKIE}=")
    assert {"Path=/", "Secure", "HttpOnly"} <= set(header.split("; "))
    assert "Domain" not in header


def test_visitor_of_an_earlier_version_stays_the_same_over_tls(client: FlaskClient) -> None:
    mine = predict(client)["id"]
    assert f'data-prediction-row="{mine}"' in client.get("/", base_url=TLS).text
    client.delete_cookie(COOKIE)
    assert f'data-prediction-row="{mine}"' in client.get("/", base_url=TLS).text


def test_value_of_the_hosts_cookie_is_worth_nothing_under_another_name(client: FlaskClient) -> None:
    client.get("/", base_url=TLS)
    mine = client.post("/api/v1/predictions", json={"image": IMAGE}, base_url=TLS).get_json()["id"]
    cookie = client.get_cookie(HOST_COOKIE)
    assert cookie
    client.delete_cookie(HOST_COOKIE)
    client.set_cookie(COOKIE, cookie.value)
    assert f'data-prediction-row="{mine}"' not in client.get("/", base_url=TLS).text
