"""A real site, served to a real Chromium."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from werkzeug.serving import make_server

from mnistweb.database.models import (
    Prediction,
    Review,
)
from mnistweb.extensions import db
from mnistweb.predictions import service
from mnistweb.predictions.moderation import set_review
from mnistweb.recognition.boundaries import Boundaries, Certainty
from mnistweb.recognition.types import Answer
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry.recognizers import ZOO
from tests.support.browser.devices import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP, PHONE, NewPage
from tests.support.browser.fonts import FONTS, INSTALLED, SET_IN
from tests.support.browser.states import Stage
from tests.support.networks import zoo_with_second
from tests.support.sites import empty, migrated_site

BOUNDARIES = Boundaries(sure=0.7, not_a_digit=0.5)
"""Those of answers that a test tells, whatever the models' cards say."""

# Taking pictures is no test: it is done when asked for.
collect_ignore = [] if {"SCREENSHOTS", "PUBLISH"} & set(os.environ) else ["test_screenshots.py"]
if "PUBLISH" not in os.environ:
    collect_ignore.append("test_animation.py")

expect.set_options(timeout=15_000)  # machines that run tests are busy


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, or the one that PLAYWRIGHT_CHROMIUM names; without one these tests are skipped."""
    if CHROMIUM is None:
        reason = "there is no Chromium: neither `chromium` on the PATH nor PLAYWRIGHT_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on an SQLite file of its own."""
    with migrated_site(tmp_path_factory.mktemp("site"), RATELIMIT_ENABLED="false") as app:
        yield app


@pytest.fixture(scope="session")
def base_url(site: Flask) -> Iterator[str]:
    """The address of the served site; `page.goto("/")` starts from it."""
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def font(request: pytest.FixtureRequest, browser: Browser) -> dict[str, str]:
    """The fonts that override those of the stylesheet: none, unless a test is `in_every_font`."""
    fonts = FONTS[request.param] if hasattr(request, "param") else {}
    if fonts:
        page = browser.new_page()
        missing = [family for family in fonts.values() if not page.evaluate(INSTALLED, family)]
        page.close()
        if missing:
            reason = f"there is no {' and no '.join(missing)}: install fonts-dejavu-core and fonts-liberation"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return fonts


@pytest.fixture
def new_page(browser: Browser, base_url: str, font: dict[str, str]) -> Iterator[NewPage]:
    """Opens pages of new visitors; fails a test in which a page's script failed."""
    properties = "".join(f'{name}: "{family}";' for name, family in font.items())
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            failures.append(said.text)

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=base_url, **options)
        contexts.append(context)
        if font:
            context.add_init_script(f"({SET_IN})({json.dumps(properties)})")
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", listen)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not failures


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """The page with the slate, on a desktop."""
    page = new_page(**DESKTOP)
    page.goto("/")
    return page


@pytest.fixture
def phone(new_page: NewPage) -> Page:
    """The page with the slate, on a phone."""
    page = new_page(**PHONE)
    page.goto("/")
    return page


@pytest.fixture
def answering(site: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the site answer as told, for states of the page that no drawing brings about reliably."""

    def answer(
        digit: int | None,
        confidence: float,
        second: int = 9,
        not_a_digit: float = 0.002,
        reason: str | None = None,
    ) -> None:
        rest = (1 - confidence) / 11
        probabilities = [rest] * 10
        probabilities[second] += rest
        probabilities[digit if digit is not None else 1] += confidence
        zoo: Zoo = site.extensions[ZOO]
        card = zoo.get().card
        certainty = Certainty.NOT_A_DIGIT if digit is None else BOUNDARIES.certainty(confidence, not_a_digit)
        told = Answer(
            digit, certainty, confidence, tuple(probabilities), not_a_digit, reason, card.name, card.version
        )
        monkeypatch.setitem(site.extensions, ZOO, _Telling(zoo, told))

    return answer


class _Telling:
    """A zoo whose every network gives the same answer."""

    def __init__(self, zoo: Zoo, told: Answer) -> None:
        self.names, self.cards, self.card = zoo.names, zoo.cards, zoo.get().card
        self.default = zoo.default
        self.default = zoo.default
        self.told = told

    def get(self, _: str | None = None) -> "_Telling":
        return self

    def recognize(self, _: object) -> Answer:
        return self.told


@pytest.fixture
def second_network(site: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer | Exception], None]:
    """Installs a second network, which answers as told or raises."""

    def install(told: Answer | Exception) -> None:
        monkeypatch.setitem(site.extensions, ZOO, zoo_with_second(site.extensions[ZOO], told))

    return install


@pytest.fixture
def stage(
    site: Flask,
    answering: Callable[..., None],
    second_network: Callable[[Answer | Exception], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """The stage on which states of the page are set up."""

    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    def hide() -> None:
        newest = db.select(Prediction.id).order_by(Prediction.created_at.desc()).limit(3)
        with site.app_context():
            set_review(db.session.scalars(newest).all(), Review.HIDDEN)

    def failing(endpoint: str, error: Exception) -> None:
        def view(**_: object) -> None:
            raise error

        monkeypatch.setitem(site.view_functions, endpoint, view)

    return Stage(
        answering=answering,
        break_database=lambda: monkeypatch.setattr(service, "insert", fail),
        lose_database=lambda: monkeypatch.setattr(Engine, "connect", fail),
        empty_database=partial(empty, site),
        hide_drawings=hide,
        failing=failing,
        set_up=lambda key, value: monkeypatch.setitem(site.config, key, value),
        second_network=second_network,
    )
