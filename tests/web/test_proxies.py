"""Headers of proxies and clients: believed only from PROXY_HOPS proxies."""

import re
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request, url_for
from flask.testing import FlaskClient

from mnistweb.app import create_app
from mnistweb.web.proxies import client_address, client_network
from tests.support.clients import predict
from tests.support.drawings import data_url, digit_png
from tests.support.servers import served_site
from tests.support.sites import SECRET, migrated_site

PREFIX = "/tools/mnist"
PAGES = ("/", "/history", "/insights", "/models", "/models/cnn", "/api/v1/docs", "/predictions/{}")
PROXIED = {"X-Forwarded-Prefix": PREFIX, "X-Forwarded-For": "192.0.2.1"}


@pytest.mark.parametrize(
    ("text", "address", "network"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:40001", "192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:40001", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::5", "2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("[2001:db8:0:1::5]", "2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("[2001:DB8:0:1::5]:40001", "2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("unknown", "unknown", "unknown"),
        ("_hidden:80", "_hidden:80", "_hidden:80"),
        ("999.1.1.1:80", "999.1.1.1:80", "999.1.1.1:80"),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_addresses_have_one_form(text: str | None, address: str, network: str) -> None:
    assert client_address(text) == address
    assert client_network(text) == network


@pytest.mark.parametrize("form", ["{}:{}", "[::ffff:{}]:{}"])
def test_changing_ports_do_not_escape_a_limit(tmp_path: Path, form: str) -> None:
    with migrated_site(tmp_path, PROXY_HOPS="1", RATELIMIT_READ="2,2") as app:
        client = app.test_client()
        found = [
            client.get("/history", headers={"X-Forwarded-For": form.format("192.0.2.1", port)}).status_code
            for port in range(40001, 40005)
        ]
        assert found == [200, 200, 429, 429]
        other = {"X-Forwarded-For": form.format("192.0.2.2", 40001)}
        assert client.get("/history", headers=other).status_code == 200


@pytest.fixture(scope="module")
def below_a_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A site whose proxy removes a path and says so."""
    folder = tmp_path_factory.mktemp("below")
    with migrated_site(folder, PROXY_HOPS="1", RATELIMIT_ENABLED="false") as app:
        app.add_url_rule("/where", view_func=lambda: url_for("history.index"))
        app.add_url_rule("/scheme", "scheme", lambda: request.scheme)
        yield app


class Addresses(HTMLParser):
    """Collects the addresses of this site in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            of_address = name in ("href", "src", "action", "formaction") or name.startswith("data-")
            if of_address and value and re.match(r"/[\w/?]", value):
                self.found.add(value)


def test_pages_below_a_path_lead_to_addresses_below_it(below_a_path: Flask) -> None:
    client = below_a_path.test_client()
    made = client.post("/api/v1/predictions", json={"image": data_url(digit_png(3))}, headers=PROXIED)
    assert made.headers["Location"].startswith(f"{PREFIX}/api/v1/predictions/")
    found: set[str] = set()
    for path in PAGES:
        page = client.get(path.format(made.get_json()["id"]), headers=PROXIED)
        assert page.status_code == 200, path
        addresses = Addresses()
        addresses.feed(page.text)
        addresses.found |= set(re.findall(r"<(/[^>]*)>", page.headers.get("Link", "")))
        assert len(addresses.found) > 10, path
        assert {each for each in addresses.found if not each.startswith(f"{PREFIX}/")} == set(), path
        found |= addresses.found
    for address in found:
        asked = client.get(address.removeprefix(PREFIX), headers=PROXIED)
        assert asked.status_code in (200, 405), address
        asked.close()


def test_forms_below_a_path_lead_back_below_it(below_a_path: Flask) -> None:
    client = below_a_path.test_client()
    page = client.get("/", headers=PROXIED).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"image": data_url(digit_png(3)), "csrf_token": token}
    response = client.post("/predictions", data=form, headers=PROXIED)
    assert response.headers["Location"].startswith(f"{PREFIX}/?answer=")


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "/tools//evil.example",
        "https://evil.example",
        "evil",
        "/a b",
        "/a?b",
        "/a\\b",
        "/a%2Fb",
    ],
)
def test_prefix_that_is_no_path_is_ignored(below_a_path: Flask, prefix: str) -> None:
    page = below_a_path.test_client().get("/models", headers={"X-Forwarded-Prefix": prefix})
    assert page.status_code == 200
    assert "evil" not in page.text
    assert 'href="/history"' in page.text


@pytest.mark.parametrize(
    ("given", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        (" wss ", "https"),
        ("http, https", "https"),
        ("http", "http"),
        ("ws", "http"),
        ("foo", "http"),
        ("", "http"),
        ("https, foo", "http"),
        ("https,", "http"),
        ('https, "foo', "http"),
        ("foo, https", "https"),
    ],
)
def test_forwarded_scheme_is_http_or_https(below_a_path: Flask, given: str, scheme: str) -> None:
    response = below_a_path.test_client().get("/scheme", headers={"X-Forwarded-Proto": given})
    assert response.text == scheme
    assert ("Strict-Transport-Security" in response.headers) is (scheme == "https")


def test_slash_behind_a_prefix_is_ignored(below_a_path: Flask) -> None:
    headers = {"X-Forwarded-Prefix": f"{PREFIX}/"}
    assert below_a_path.test_client().get("/where", headers=headers).text == f"{PREFIX}/history"


def test_without_hops_nothing_is_believed(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(unmigrated_settings)
    app.add_url_rule(
        "/who",
        view_func=lambda: f"{request.remote_addr} {request.scheme} {request.host} {request.script_root}",
    )
    headers = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Ssl": "on",
        "Forwarded": "for=192.0.2.1;proto=https;host=evil.example",
    }
    assert app.test_client().get("/who", headers=headers).text == "127.0.0.1 http localhost "


@pytest.mark.process
def test_gunicorn_believes_no_client_on_the_same_machine(tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": SECRET,
        "WORKERS": "1",
    }
    with served_site(settings) as port:
        base = f"http://127.0.0.1:{port}"
        headers = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Protocol": "ssl",
            "X-Forwarded-Ssl": "on",
            "SCRIPT_NAME": "//evil.example",
            "PATH_INFO": "/evil",
        }
        with urllib.request.urlopen(urllib.request.Request(f"{base}/", headers=headers)) as response:  # noqa: S310
            assert response.status == 200
            assert "Strict-Transport-Security" not in response.headers
            assert "Secure" not in response.headers["Set-Cookie"]
            assert b"evil" not in response.read()


def test_forms_of_one_address_get_one_visitor_by_key(client: FlaskClient) -> None:
    key = {"Idempotency-Key": "k" * 20}
    first = client.post(
        "/api/v1/predictions",
        json={"image": data_url(digit_png(3))},
        headers=key,
        environ_base={"REMOTE_ADDR": "::ffff:192.0.2.1"},
    )
    client.delete_cookie("visitor")
    again = client.post(
        "/api/v1/predictions",
        json={"image": data_url(digit_png(3))},
        headers=key,
        environ_base={"REMOTE_ADDR": "192.0.2.1:40001"},
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert predict(client)["id"] != first.get_json()["id"] == again.get_json()["id"]
