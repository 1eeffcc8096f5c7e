"""The site below a path of another one, behind a proxy that removes the path and says so."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.support.browser.hand import answer, draw, predict
from tests.support.sites import migrated_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/tools/mnist"


def proxy(site: "WSGIApplication") -> "WSGIApplication":
    """Return an application that is the site below the path, and nothing elsewhere."""

    def forward(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith(f"{PREFIX}/"):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Another site"]
        forwarded = {"PATH_INFO": path.removeprefix(PREFIX), "HTTP_X_FORWARDED_PREFIX": PREFIX}
        return site(environ | forwarded, start_response)

    return forward


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of the site below a path."""
    with migrated_site(tmp_path, PROXY_HOPS="1", RATELIMIT_ENABLED="false") as app:
        server = make_server("127.0.0.1", 0, proxy(app), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
        server.shutdown()
        thread.join()
        server.server_close()


def test_everything_works_below_a_path(page: Page, address: str) -> None:
    missing: list[str] = []
    page.on("response", lambda response: missing.append(response.url) if response.status >= 400 else None)
    page.goto(address)
    draw(page, 3)
    predict(page)
    expect(answer(page)).to_have_attribute("data-prediction", "3")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    page.reload()
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    for name in ("History", "Insights", "Models", "API"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.locator("h1")).to_be_visible()
        assert page.url.startswith(address)
    page.goto(f"{address}history")
    page.locator("[data-prediction-row] a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert missing == []
