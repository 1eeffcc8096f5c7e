"""Static files: their addresses, caching, compression and headers."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import urljoin

import brotli
import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.test import Client

from mnistweb.web.static_files import StaticFiles, digest_of
from tests.support.clients import assert_refused

FOREVER = "public, max-age=31536000, immutable"
CSS = b"body { color: black }\n" * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a style sheet, a picture and a script."""
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "base.css").write_bytes(CSS)
    (tmp_path / "icon.png").write_bytes(b"\x89PNG" * 50)
    (tmp_path / "main.js").write_text("start();\n")
    return tmp_path


@pytest.fixture
def files(folder: Path) -> StaticFiles:
    """These files, in front of an application that answers 404."""

    def application(_: object, start_response: object) -> list[bytes]:
        assert callable(start_response)
        start_response("404 NOT FOUND", [])
        return [b"of the application"]

    return StaticFiles(application, folder)


@pytest.fixture
def browser(files: StaticFiles) -> Client:
    """A client of these files."""
    return Client(files)


def address(app: Flask, path: str) -> str:
    with app.test_request_context():
        return url_for("static", filename=path)


def files_of(app: Flask) -> list[str]:
    root = Path(app.static_folder or "")
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


def test_every_file_is_served_for_good_at_its_own_address(app: Flask, client: FlaskClient) -> None:
    for path in files_of(app):
        response = client.get(address(app, path))
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == FOREVER
        assert response.data == (Path(app.static_folder or "") / path).read_bytes()
        assert response.mimetype != "application/octet-stream", path


def test_a_page_links_no_other_addresses(client: FlaskClient) -> None:
    links = set(re.findall(r'(?:href|src|content|data-style)="([^"]*/static/[^"]+)"', client.get("/").text))
    assert len(links) > 20
    assert {client.get(link).headers["Cache-Control"] for link in links} == {FOREVER}


def test_plain_and_outdated_addresses_are_revalidated(app: Flask, client: FlaskClient) -> None:
    current = client.get(address(app, "img/preview.png"))
    for plain in ("/static/img/preview.png", "/static/0123456789ab/img/preview.png"):
        response = client.get(plain)
        assert response.data == current.data
        assert response.headers["Cache-Control"] == "no-cache"
        again = client.get(plain, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304
        assert again.data == b""


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "css" / "base.css").write_bytes(CSS + b"\n"),
        lambda folder: (folder / "css" / "base.css").rename(folder / "base.css"),
        lambda folder: (folder / "new.css").write_bytes(b""),
        lambda folder: (folder / "icon.png").unlink(),
    ],
    ids=["content", "name", "new file", "removed file"],
)
def test_a_changed_folder_changes_the_address(files: StaticFiles, folder: Path, change: object) -> None:
    assert StaticFiles(files, folder).digest == files.digest
    assert callable(change)
    change(folder)
    assert StaticFiles(files, folder).digest != files.digest


def test_digest_keeps_names_and_contents_apart() -> None:
    assert digest_of({"a": b"b", "c": b""}) != digest_of({"a": b"", "bc": b""})
    assert digest_of({"a": b"1", "b": b"2"}) == digest_of({"b": b"2", "a": b"1"})


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "br"),
        ("deflate", None),
        ("identity", None),
        ("", None),
    ],
)
def test_text_is_compressed_as_accepted(browser: Client, accepted: str, coding: str | None) -> None:
    response = browser.get("/static/css/base.css", headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert int(response.headers["Content-Length"]) == len(response.data)
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert decode(response.data) == CSS


def test_pictures_are_not_compressed(browser: Client) -> None:
    response = browser.get("/static/icon.png", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in response.headers
    assert "Vary" not in response.headers


def test_each_coding_has_its_own_validator(browser: Client) -> None:
    tags = [
        browser.get("/static/css/base.css", headers={"Accept-Encoding": accepted}).headers["ETag"]
        for accepted in ("br", "gzip", "identity")
    ]
    assert len(set(tags)) == 3
    for accepted, status in (("br", 304), ("gzip", 200)):
        headers = {"Accept-Encoding": accepted, "If-None-Match": tags[0]}
        assert browser.get("/static/css/base.css", headers=headers).status_code == status


def test_head_has_the_headers_alone(browser: Client) -> None:
    response = browser.head("/static/css/base.css")
    assert response.status_code == 200
    assert response.data == b""
    assert response.headers["Content-Length"] == str(len(CSS))
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-3", 206, CSS[:4]),
        ("bytes=-4", 206, CSS[-4:]),
        ("bytes=100000-", 416, None),
    ],
)
def test_ranges_are_served(browser: Client, wanted: str, status: int, part: bytes | None) -> None:
    response = browser.get("/static/css/base.css", headers={"Range": wanted})
    assert response.status_code == status
    assert response.headers["Content-Range"].endswith(f"/{len(CSS)}")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert part is None or response.data == part


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/",
        "/static/css",
        "/static/nothing.css",
        "/static/../wsgi.py",
        "/static/css/../main.js",
        "/static/0123456789ab/",
        "/static//main.js",
        "/other/static/main.js",
    ],
)
def test_everything_else_is_left_to_the_application(browser: Client, path: str) -> None:
    assert browser.get(path).data == b"of the application"


def test_other_methods_are_left_to_the_application(browser: Client) -> None:
    assert browser.post("/static/main.js").data == b"of the application"


@pytest.mark.parametrize("path", ["/static/nothing.css", "/static/0123456789ab/nothing.css"])
def test_a_missing_file_has_an_error_page(client: FlaskClient, path: str) -> None:
    assert_refused(client.get(path), 404, "not_found")


def test_below_a_prefix_the_addresses_have_it(app: Flask, client: FlaskClient) -> None:
    page = client.get("/", environ_overrides={"SCRIPT_NAME": "/digits"})
    links = re.findall(r'href="([^"]+\.css)"', page.text)
    assert links
    for link in links:
        assert link.startswith("/digits/static/")
        inner = link.removeprefix("/digits")
        response = client.get(inner, environ_overrides={"SCRIPT_NAME": "/digits"})
        assert response.headers["Cache-Control"] == FOREVER


def test_manifest_leads_to_the_page_and_the_icons(app: Flask, client: FlaskClient) -> None:
    place = address(app, "site.webmanifest")
    manifest = json.loads(client.get(place).data)
    assert urljoin(place, manifest["start_url"]) == urljoin(place, manifest["scope"]) == "/"
    for icon in manifest["icons"]:
        response = client.get(urljoin(place, icon["src"]))
        assert (response.status_code, response.mimetype) == (200, icon["type"])
