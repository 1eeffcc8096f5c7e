"""The cost of a first visit, and the hosts it comes from."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.browser.devices import PHONE, NewPage

MOST = 60_000  # bytes, headers included


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
