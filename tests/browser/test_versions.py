"""The versions of a model on its page: what went live when, by whom and why."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, WINDOW_SIZES, NewPage
from tests.support.browser.fonts import in_every_font
from tests.support.browser.overflow import overflows
from tests.support.comparisons import comparison
from tests.support.networks import other_version

NAME = "lenet5"


@pytest.fixture(autouse=True)
def versions(site: Flask) -> Iterator[None]:
    """A version that was promoted and rolled back."""
    installed = read_card(WEIGHTS / f"{NAME}.json").version
    file, card = other_version(NAME)
    with site.app_context():
        add_version(file, card, None, installed, "ada")
        reason = "It reads open fours, which visitors drew 212 times in November."
        promote(NAME, card.version, comparison(NAME, installed, card.version), by="ada", reason=reason)
        rollback(NAME, by="bob-with-a-long-name-and-no-spaces", reason="Too many refusals on tablets.")
        yield
        for table in (ModelVersion, Promotion):
            db.session.execute(delete(table))
        db.session.commit()


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_axe_finds_nothing(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options, color_scheme="light", reduced_motion="reduce")
    page.goto(f"/models/{NAME}#versions")
    page.get_by_text("What was compared").click()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@in_every_font
def test_nothing_needs_sideways_scrolling(page: Page) -> None:
    page.goto(f"/models/{NAME}#versions")
    page.get_by_text("What was compared").click()
    for width, height in WINDOW_SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert overflows(page) == []


def test_the_comparison_is_opened_by_keyboard(page: Page) -> None:
    page.goto(f"/models/{NAME}")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Its versions").click()
    row = page.get_by_role("row", name="reviewed drawings")
    expect(row).to_be_hidden()
    page.get_by_text("What was compared").focus()
    page.keyboard.press("Enter")
    expect(row).to_contain_text("+4.00")
    page.get_by_role("link", name="The whole comparison").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Version")
