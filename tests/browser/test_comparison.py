"""The page of a comparison of two versions."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from mnistweb.database.models import Promotion
from mnistweb.extensions import db
from mnistweb.recognition.comparison import Disagreement, Reading
from mnistweb.recognition.png import data_url, encode_png
from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, WINDOW_SIZES, NewPage
from tests.support.browser.overflow import overflows
from tests.support.comparisons import comparison
from tests.support.rows import NOON


@pytest.fixture
def path(site: Flask) -> Iterator[str]:
    """The path of the page of a comparison, of a model that the site does not have."""
    picture = data_url(encode_png(np.full((28, 28), 99, np.uint8)))
    readings = Reading(5, "sure", 0.9), Reading(3, "doubtful", 0.6)
    made = replace(
        comparison("other", "0123456789ab", "ba9876543210", lost=3),
        disagreements=(Disagreement("mnist", 3, *readings, picture),) * 9,
        notes=("The log was not replayed.",),
    )
    with site.app_context():
        row = Promotion(
            name="other",
            version=made.new,
            previous=made.old,
            promoted_at=NOON,
            promoted_by="ada",
            reason="",
            comparison=made.as_json(),
        )
        db.session.add(row)
        db.session.commit()
        yield f"/models/other/compare/{row.id}"
        db.session.delete(row)
        db.session.commit()


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_axe_finds_nothing(new_page: NewPage, options: dict[str, object], path: str) -> None:
    page = new_page(**options, color_scheme="light", reduced_motion="reduce")
    page.goto(path)
    page.locator("summary").click()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_only_tables_scroll_sideways(page: Page, path: str) -> None:
    page.goto(path)
    for width, height in WINDOW_SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert overflows(page) == []


def test_drawings_have_words(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.get_by_role("img", name="A 3, read as 5 before and as 3 now")).to_have_count(9)
    expect(page.get_by_role("heading", name="It may go live")).to_be_visible()
