import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer

from mnistweb.web import visitors
from tests.support.clients import predict
from tests.support.drawings import data_url, digit_png
from tests.support.sites import SECRET


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("visitor")
    assert found is not None
    return found.value


def test_api_sets_the_cookie_for_a_new_visitor(client: FlaskClient) -> None:
    response = client.post("/api/v1/predictions", json={"image": data_url(digit_png())})
    [header] = [value for value in response.headers.getlist("Set-Cookie") if value.startswith("visitor=")]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Max-Age=31536000" in header
    assert "Secure" not in header


def test_cookies_are_secure_over_tls(client: FlaskClient) -> None:
    headers = client.get("/", base_url="https://localhost").headers.getlist("Set-Cookie")
    assert len(headers) == 1
    assert all("Secure" in header and "HttpOnly" in header and "SameSite=Lax" in header for header in headers)


def test_cookies_reach_frames_of_other_sites_over_tls_if_there_may_be_any(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "EMBED_ORIGINS", ["https://lms.example.org"])
    for scheme, expected in (
        ("https", "Secure HttpOnly SameSite=None Partitioned"),
        ("http", "SameSite=Lax"),
    ):
        headers = app.test_client().get("/", base_url=f"{scheme}://localhost").headers.getlist("Set-Cookie")
        assert len(headers) == 1
        for header in headers:
            assert set(expected.split()) <= set(header.split("; "))
            assert ("Partitioned" in header) == (scheme == "https")


def test_visitor_stays_the_same(client: FlaskClient) -> None:
    client.get("/")
    first = cookie(client)
    predict(client)
    assert cookie(client) == first


def test_forged_cookie_is_ignored(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        visitor = visitors.current_visitor()
    for value in (visitor, "", URLSafeSerializer("another key" * 3, salt="visitor").dumps(visitor)):
        client.set_cookie("visitor", str(value))
        with app.test_request_context(headers={"Cookie": f"visitor={value}"}):
            assert visitors.current_visitor() != visitor
    value = URLSafeSerializer(SECRET, salt="visitor").dumps(visitor)
    with app.test_request_context(headers={"Cookie": f"visitor={value!s}"}):
        assert visitors.current_visitor() == visitor


def test_reading_sets_no_cookie(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/history").headers
    assert "Set-Cookie" not in client.get("/api/v1/predictions").headers


def test_each_visit_renews_the_cookie_but_not_each_step_of_a_page(client: FlaskClient) -> None:
    address = "/?answer=00000000-0000-0000-0000-000000000000"
    for _ in range(2):
        assert len(client.get("/").headers.getlist("Set-Cookie")) == 1
        api = client.post("/api/v1/predictions", json={"image": data_url(digit_png())})
        assert len(api.headers.getlist("Set-Cookie")) == 1
        assert "Set-Cookie" not in client.get(address, headers={"X-Fragment": "true"}).headers
    stranger = client.application.test_client().get(address, headers={"X-Fragment": "true"})
    assert len(stranger.headers.getlist("Set-Cookie")) == 1
