"""Pictures for people to look at.

SCREENSHOTS=folder: every page and state. PUBLISH=1: the pictures that are part of the repository, made anew.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.devices import DEVICES, SMALL_PHONE, NewPage
from tests.support.browser.hand import predicted, press
from tests.support.browser.states import STATES, Stage, landed

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "static" / "img"

SIZES = {**DEVICES, "small": SMALL_PHONE}
published = pytest.mark.skipif("PUBLISH" not in os.environ, reason="PUBLISH is not set")


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder for them")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_every_state(new_page: NewPage, stage: Stage, state: str, size: str, scheme: str) -> None:
    page = new_page(**{**SIZES[size], "device_scale_factor": 2}, color_scheme=scheme)
    STATES[state](page, stage)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("document.querySelectorAll('[loading=lazy]').forEach(each => { each.loading = 'eager'; })")
    page.wait_for_timeout(300)
    page.screenshot(
        path=Path(os.environ["SCREENSHOTS"]) / f"{state}-{size}-{scheme}.png", full_page=size != "desktop"
    )


@published
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_in_the_readme(new_page: NewPage, scheme: str) -> None:
    page = new_page(viewport={"width": 1280, "height": 960}, color_scheme=scheme)
    in_use(page)
    page.screenshot(path=ROOT / "docs" / f"page-{scheme}.png")
    press(page, "Look inside")
    expect(page.locator("[data-inside] .sheet-mark").first).to_be_visible()
    page.wait_for_timeout(1000)  # until it has scrolled there
    page.screenshot(path=ROOT / "docs" / f"inside-{scheme}.png")


@published
def test_the_preview_that_others_show(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1200, "height": 630}, color_scheme="light")
    in_use(page)
    page.evaluate("for (const part of ['#own', '.colophon']) document.querySelector(part).remove()")
    page.screenshot(path=IMAGES / "preview.png")


@published
@pytest.mark.parametrize(
    ("name", "side", "shrunk"), [("180", 180, 1), ("192", 192, 1), ("512", 512, 1), ("maskable", 512, 0.7)]
)
def test_the_icons(new_page: NewPage, name: str, side: int, shrunk: float) -> None:
    # A maskable icon may be cut to a circle, so its ground fills the whole and the slate keeps to the middle.
    drawing = (IMAGES / "icon.svg").read_text()
    ground = f"background: {'transparent' if shrunk == 1 else '#f6f1e7'}"
    page = new_page(viewport={"width": side, "height": side})
    page.set_content(
        f'<body style="margin: 0; display: grid; place-items: center; height: {side}px; {ground}">'
        f'<div style="width: {side * shrunk}px; height: {side * shrunk}px">{drawing}</div>'
    )
    page.screenshot(path=IMAGES / f"icon-{name}.png", omit_background=True)


def in_use(page: Page) -> None:
    """Three drawings that the real network read, two of them judged."""
    page.goto("/")
    for digit in (3, 8):
        predicted(page, digit)
        press(page, "Yes")
        expect(page.locator("[data-said]")).to_be_visible()
        press(page, "Clear")
    predicted(page, 7)
    landed(page)
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
