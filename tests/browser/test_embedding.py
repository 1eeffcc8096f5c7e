"""The site in a frame of another one: 127.0.0.1 and localhost are different sites for a browser."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, FrameLocator, Page, expect
from werkzeug.serving import make_server

from tests.support.browser.hand import SIDE
from tests.support.drawings import STROKES
from tests.support.postgres import free_port
from tests.support.sites import migrated_site
from tests.support.tls import self_signed


@dataclass(frozen=True)
class Course:
    """Pages of a learning platform and of a stranger, which have the site in a frame."""

    page: Page
    platform: str
    stranger: str

    def open(self, address: str) -> FrameLocator:
        """Open the page at this address; return the frame."""
        self.page.goto(address)
        return self.page.frame_locator("iframe")


@contextmanager
def served(app: Flask, context: ssl.SSLContext, port: int = 0) -> Iterator[int]:
    """Serve an application over TLS; yield its port."""
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def framing(site: str) -> Flask:
    """Return a site with one page, which has another one in a frame."""
    app = Flask("framing")
    frame = f'<!doctype html><title>Course</title><iframe src="{site}" width="1200" height="800"></iframe>'
    app.add_url_rule("/", view_func=lambda: frame)
    return app


@pytest.fixture
def course(browser: Browser, tmp_path: Path) -> Iterator[Course]:
    """A learning platform that may embed the site, and a stranger that may not, all over TLS."""
    context = self_signed(tmp_path)
    if context is None:
        pytest.skip("there is no openssl")
    port = free_port()
    platform = f"https://localhost:{port}"
    with (
        migrated_site(tmp_path, RATELIMIT_ENABLED="false", EMBED_ORIGINS=platform) as app,
        served(app, context) as own,
        served(framing(f"https://127.0.0.1:{own}/"), context, port),
        served(framing(f"https://127.0.0.1:{own}/"), context) as other,
    ):
        visitor = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
        yield Course(visitor.new_page(), platform, f"https://localhost:{other}")
        visitor.close()


def draw_in(frame: FrameLocator, digit: int) -> None:
    """Draw a digit with the mouse and press Predict."""
    mouse = frame.owner.page.mouse
    box = frame.locator("#slate").bounding_box()
    assert box
    for stroke in STROKES[digit]:
        places = [
            (box["x"] + x / SIDE * box["width"], box["y"] + y / SIDE * box["height"]) for x, y in stroke
        ]
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place)
        mouse.up()
    frame.get_by_role("button", name="Predict", exact=True).click()
    expect(frame.locator("[data-prediction]")).to_have_attribute("data-prediction", str(digit))


def test_a_visitor_draws_rates_and_deletes_in_a_frame_of_another_site(course: Course) -> None:
    frame = course.open(course.platform)
    draw_in(frame, 3)
    frame.get_by_role("button", name="Yes", exact=True).click()
    expect(frame.locator("#own")).to_have_attribute("data-accuracy", "1.0")

    course.page.reload()
    row = frame.locator("[data-prediction-row]")
    expect(row).to_have_count(1)
    cookies = {cookie["name"]: cookie for cookie in course.page.context.cookies()}
    assert cookies["__Host-visitor"]["sameSite"] == "None"
    assert cookies["__Host-visitor"]["secure"]
    row.get_by_role("button", name="Delete this drawing").click()
    expect(row).to_have_count(0)
    course.page.reload()
    expect(frame.locator("#slate")).to_be_visible()
    expect(row).to_have_count(0)


def test_the_theme_stays_in_a_frame_of_another_site(course: Course) -> None:
    course.page.emulate_media(color_scheme="light")
    frame = course.open(course.platform)
    frame.get_by_role("button", name="Switch between light and dark").click()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    course.page.reload()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")


def test_no_other_site_shows_the_pages_in_a_frame(course: Course) -> None:
    with course.page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        frame = course.open(course.stranger)
    expect(frame.locator("#slate")).to_have_count(0)
    expect(course.open(course.platform).locator("#slate")).to_be_visible()
