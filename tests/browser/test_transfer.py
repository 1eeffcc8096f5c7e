"""The cost of a first and of a second visit, and the hosts they come from."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.support.browser.devices import PHONE, NewPage

MOST = 60_000  # bytes, headers included


@pytest.fixture
def requested(site: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that browsers request from now on."""
    paths: list[str] = []
    application = site.wsgi_app

    def record(environ: Any, start_response: Any) -> Iterable[bytes]:
        paths.append(environ["PATH_INFO"])
        return application(environ, start_response)

    monkeypatch.setattr(site, "wsgi_app", record)
    return paths


@pytest.mark.parametrize("path", ["/", "/history", "/insights", "/models"])
def test_a_first_visit_is_small_and_comes_from_one_host(new_page: NewPage, base_url: str, path: str) -> None:
    page = new_page(**PHONE)
    sizes: list[float] = []
    hosts: set[str] = set()

    def asked(event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            hosts.add(urlsplit(event["request"]["url"]).netloc)

    watching = page.context.new_cdp_session(page)
    watching.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    watching.on("Network.requestWillBeSent", asked)
    watching.send("Network.enable")
    page.goto(path, wait_until="networkidle")
    assert hosts == {urlsplit(base_url).netloc}
    # Other pages grow with the drawings that they show.
    assert path != "/" or 0 < sum(sizes) <= MOST, f"{sum(sizes):,.0f} bytes in {len(sizes)} responses"


@pytest.mark.parametrize("path", ["/", "/insights", "/models"])
def test_a_second_visit_requests_the_document_alone(
    new_page: NewPage, requested: list[str], path: str
) -> None:
    page = new_page(**PHONE)
    page.goto(path, wait_until="networkidle")
    assert len(requested) > 1
    assert len(set(requested)) == len(requested)
    page.goto("about:blank")
    requested.clear()
    page.goto(path, wait_until="networkidle")
    expect(page.get_by_role("heading").first).to_be_attached()
    assert requested == [path]


def test_pages_share_their_files(new_page: NewPage, requested: list[str]) -> None:
    page = new_page(**PHONE)
    page.goto("/", wait_until="networkidle")
    loaded = set(requested)
    requested.clear()
    page.goto("/history", wait_until="networkidle")
    assert "/history" in requested
    assert not loaded & set(requested)
