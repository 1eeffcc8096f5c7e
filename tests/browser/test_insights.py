import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.drift import EXTENSION
from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, WINDOW_SIZES, NewPage
from tests.support.browser.fonts import in_every_font
from tests.support.browser.overflow import overflows
from tests.support.rows import row

CHARTS = [
    *("time", "digit", "network", "certainty", "refusals", "confusion", "reliability"),
    *("drift-refused", "drift-doubtful", "drift-right", "drift-confidence", "drift-ink"),
]


@pytest.fixture
def filled(site: Flask) -> Iterator[None]:
    """A log of six weeks, most of it labelled, with a mistake of each kind."""
    now = datetime.now(UTC)
    made = []
    for number in range(240):
        when = now - timedelta(days=number % 42)
        digit = None if number % 11 == 10 else number % 11
        right = digit if number % 8 else (None if digit == 4 else 4)
        judged: dict[str, Any] = {"label": right, "labelled_at": when} if number % 4 != 1 else {}
        model = ("cnn", "lenet5", "a-network-with-a-name-of-more-than-forty-letters")[number % 3]
        doubtful = digit is not None and number % 7 > 3
        confidence = 1 - (number % 7) / 10
        judged |= {"digit": digit, "doubtful": doubtful, "confidence": confidence, "model": model}
        made.append(row(when, input=bytes(784), **judged))
    site.extensions.pop(EXTENSION, None)
    with site.app_context():
        db.session.execute(delete(Prediction))
        db.session.add_all(made)
        db.session.flush()
        aggregates.recount(db.session())
        db.session.commit()
    yield
    with site.app_context():
        db.session.execute(delete(Prediction))
        aggregates.recount(db.session())
        db.session.commit()


def opened(page: Page) -> None:
    """All charts with their numbers."""
    page.goto("/insights")
    for summary in page.get_by_text("Show as a table").all():
        summary.click()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_axe_finds_nothing_in_charts_and_their_numbers(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options, color_scheme="light", reduced_motion="reduce")
    opened(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@in_every_font
@pytest.mark.usefixtures("filled")
def test_charts_and_numbers_stay_within_the_page(page: Page) -> None:
    opened(page)
    for width, height in WINDOW_SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert overflows(page) == []


@pytest.mark.usefixtures("filled")
def test_every_chart_has_a_name_a_sentence_and_its_numbers(page: Page) -> None:
    opened(page)
    figures = page.get_by_role("figure")
    expect(figures).to_have_count(len(CHARTS))
    assert figures.evaluate_all("all => all.map(each => each.dataset.chart)") == CHARTS
    for figure in figures.all():
        name = figure.get_by_role("heading").inner_text()
        expect(figure).to_have_accessible_name(name)
        assert (figure.locator("svg.chart").get_attribute("aria-label") or "").startswith(name)
        expect(figure.get_by_role("table", name=name)).to_be_visible()
        expect(figure.locator("figcaption p")).to_contain_text(".")


@pytest.mark.usefixtures("filled")
def test_a_dot_is_where_its_number_says(page: Page) -> None:
    opened(page)
    figure = page.locator("[data-chart=digit]")
    shares = figure.locator("tbody tr td:nth-child(4)").all_inner_texts()
    lines = figure.locator(".grid").evaluate_all("all => all.map(each => each.getBoundingClientRect().y)")
    bottom, top = lines[0], min(lines)
    lowest = figure.locator("svg text").first.text_content() or ""
    low = float(lowest.removesuffix(" %"))
    dots = figure.locator(".dot").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect()).map(box => box.y + box.height / 2)"
    )
    assert len(dots) == len(shares)
    for dot, share in zip(dots, shares, strict=True):
        shown = low + (100 - low) * (bottom - dot) / (bottom - top)
        assert shown == pytest.approx(float(share.removesuffix(" %")), abs=1)


@pytest.mark.usefixtures("filled")
def test_the_period_is_chosen_by_keyboard_and_in_the_address(page: Page) -> None:
    page.get_by_role("link", name="Insights").click()
    page.get_by_role("link", name="Last 30 days").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/insights?days=30")
    expect(page.get_by_role("link", name="Last 30 days")).to_have_attribute("aria-current", "true")
    rated = page.locator("[data-chart=time] tbody td:nth-child(2)").all_text_contents()
    assert rated
    assert all(int(number) >= 20 for number in rated)
    expect(page.locator("[data-chart=refusals] tbody tr")).to_have_count(30)
    page.locator("[data-chart=time] summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-chart=time]").get_by_role("table")).to_be_visible()


@pytest.mark.usefixtures("filled")
def test_a_cell_leads_to_its_drawings(page: Page) -> None:
    opened(page)
    cell = page.locator("[data-chart=confusion] svg").get_by_role("link", name=re.compile("^4 read as 3: "))
    count = cell.locator(".count").text_content() or ""
    cell.click()
    page.wait_for_url("**/history?view=gallery&*")
    expect(page.locator(".filter-words")).to_contain_text(f"{count} of 240 drawings: read as 3 · really 4")
    expect(page.locator(".gallery-tile")).to_have_count(int(count))
    expect(page.get_by_text("it was 4").first).to_be_visible()
    page.go_back()
    opened(page)
    # The Tab key finds the same in the table.
    link = page.locator("[data-chart=confusion] table").get_by_role("link", name=re.compile("4 read as 3"))
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/history?view=gallery&*")
    assert page.locator(".gallery-tile").count() == int(count)
    assert violations(page) == []


@pytest.mark.usefixtures("filled")
def test_hardest_drawings_lead_to_their_pages(page: Page) -> None:
    opened(page)
    hardest = page.get_by_role("region", name="Today’s hardest drawings")
    tiles = hardest.get_by_role("listitem")
    assert tiles.count() > 1
    expect(tiles.first).to_contain_text("wrong")
    tiles.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Someone’s drawing")).to_be_visible()


def test_without_any_drawing_the_page_leads_to_the_slate(site: Flask, page: Page, filled: None) -> None:
    with site.app_context():
        db.session.execute(delete(Prediction))
        aggregates.recount(db.session())
        db.session.commit()
    page.goto("/insights")
    assert violations(page) == []
    page.get_by_role("link", name="Draw the first digit").click()
    expect(page.locator("#slate")).to_be_visible()
