"""Trusted hosts and security headers."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from mnistweb.app import create_app
from mnistweb.web.security_headers import SecurityHeaders
from tests.support.clients import predict

PAGES = ["/", "/models", "/nothing"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("digits.example.org", 200),
        ("digits.example.org:8000", 200),
        ("a.example.net", 200),
        ("localhost", 200),
        ("127.0.0.1:8000", 200),
        ("example.org", 400),
        ("digits.example.org.attacker.test", 400),
        ("Digits.Example.ORG:8000", 200),
        ("attacker.test", 400),
    ],
)
def test_only_trusted_hosts_are_answered(unmigrated_settings: dict[str, Any], host: str, status: int) -> None:
    app = create_app(unmigrated_settings | {"TRUSTED_HOSTS": "digits.example.org, .example.net"})
    for path in ("/models", "/api/v1/models"):
        response = app.test_client().get(path, headers={"Host": host})
        assert response.status_code == status
        if status == 400:
            assert response.get_json()["error"]["code"] == "untrusted_host"
            assert "attacker" not in response.text


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_probes_are_answered_under_any_name(unmigrated_settings: dict[str, Any], path: str) -> None:
    # An orchestrator's probe, and Prometheus, ask by the address of a container.
    settings = {"TRUSTED_HOSTS": "digits.example.org", "METRICS_TOKEN": "a-token-for-this-test"}
    app = create_app(unmigrated_settings | settings)
    headers = {"Host": "10.1.2.3:8000", "Authorization": "Bearer a-token-for-this-test"}
    assert app.test_client().get(path, headers=headers).status_code == 200


def test_forwarded_host_is_checked_behind_a_proxy(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(unmigrated_settings | {"TRUSTED_HOSTS": "digits.example.org", "PROXY_HOPS": "1"})
    for host, status in (("digits.example.org", 200), ("Digits.EXAMPLE.org", 200), ("attacker.test", 400)):
        headers = {"Host": "localhost", "X-Forwarded-Host": host}
        assert app.test_client().get("/models", headers=headers).status_code == status


def test_every_host_is_answered_by_default(client: FlaskClient) -> None:
    assert client.get("/models", headers={"Host": "anything.test"}).status_code == 200


@pytest.mark.parametrize("host", ["..", ".example.org", "a..b", "a" * 300])
def test_malformed_hosts_are_refused(client: FlaskClient, host: str) -> None:
    for path in ("/models", "/nothing", "/api/v1/models"):
        response = client.get(path, environ_overrides={"HTTP_HOST": host})
        assert response.status_code == 400
        assert response.get_json()["error"]["code"] == "untrusted_host"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Request-ID"]


def test_no_redirect_leads_to_the_host_of_a_request(client: FlaskClient) -> None:
    for path in ("/api//v1/models", "/api/v1//models", "/models//cnn", "/history/"):
        assert client.get(path, headers={"Host": "evil.test"}).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_restrictive_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Permitted-Cross-Domain-Policies"] == "none"
    for feature in ("camera", "geolocation", "microphone"):
        assert f"{feature}=()" in headers["Permissions-Policy"]
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/models", "/static/img/icon.svg"])
def test_no_header_is_sent_twice(client: FlaskClient, path: str) -> None:
    names = [name for name, _ in client.get(path, base_url="https://localhost").headers]
    assert len(set(names) - {"Set-Cookie"}) == len([name for name in names if name != "Set-Cookie"])


def test_headers_of_the_response_itself_win() -> None:
    def application(_: object, start_response: object) -> list[bytes]:
        assert callable(start_response)
        start_response("200 OK", [("content-type", "text/html"), ("x-frame-options", "SAMEORIGIN")])
        return [b"framed"]

    response = Client(SecurityHeaders(application)).get("/")
    assert response.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_named_origins_may_embed_the_pages(unmigrated_settings: dict[str, Any], path: str) -> None:
    origins = "https://lms.example.org  https://*.example.net:8443"
    client = create_app(unmigrated_settings | {"EMBED_ORIGINS": origins}).test_client()
    headers = client.get(path).headers
    assert "X-Frame-Options" not in headers
    assert headers["Content-Security-Policy"].endswith(
        "; frame-ancestors https://lms.example.org https://*.example.net:8443"
    )
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_hsts_is_sent_only_over_tls(client: FlaskClient, path: str) -> None:
    assert "Strict-Transport-Security" not in client.get(path).headers
    headers = client.get(path, base_url="https://localhost").headers
    found = re.fullmatch(r"max-age=(\d+)", headers["Strict-Transport-Security"])
    assert found
    assert int(found[1]) >= 31536000


def test_worker_script_has_the_headers_of_a_page(client: FlaskClient) -> None:
    response = client.get("/static/js/features/live-guess-worker.js")
    assert response.mimetype == "text/javascript"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_picture_that_is_a_document_has_the_headers_of_a_page(client: FlaskClient) -> None:
    headers = client.get("/static/img/icon.svg", base_url="https://localhost").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" in headers
    assert "Strict-Transport-Security" not in client.get("/static/img/icon.svg").headers


def test_subresources_have_no_document_headers(client: FlaskClient) -> None:
    drawing = f"/predictions/{predict(client)['id']}/drawing.png"
    for path in ("/static/css/base.css", "/static/js/main.js", "/static/img/preview.png", drawing):
        headers = client.get(path, base_url="https://localhost").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        for name in ("Content-Security-Policy", "Permissions-Policy", "Strict-Transport-Security"):
            assert name not in headers
