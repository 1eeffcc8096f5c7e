from typing import cast

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, Position, expect

from mnistweb.recognition.zoo import Zoo
from mnistweb.registry.recognizers import ZOO
from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, NewPage
from tests.support.browser.hand import answer, predicted, press
from tests.support.networks import untrained


@pytest.fixture
def transformer(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a Vision Transformer."""
    zoo = cast(Zoo, site.extensions[ZOO])
    more = Zoo({zoo.default: zoo.get(), "vit": untrained("vit")}, zoo.default)
    monkeypatch.setitem(site.extensions, ZOO, more)


def inside(page: Page) -> Locator:
    return page.locator("[data-inside]")


def look(page: Page, digit: int = 7) -> str:
    prediction_id = predicted(page, digit)
    press(page, "Look inside")
    expect(inside(page)).to_be_visible()
    return prediction_id


def test_a_look_inside_opens_below_the_answer_and_nothing_is_logged(page: Page) -> None:
    prediction_id = look(page)
    expect(page.get_by_role("heading", name="Inside: ")).to_be_focused()
    expect(inside(page)).to_contain_text("for a seven")
    expect(page.get_by_role("status")).to_contain_text("Inside ")
    expect(page.locator(".heat-for").first).to_be_attached()
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    assert answer(page).get_attribute("data-prediction-id") == prediction_id


def test_before_an_answer_there_is_nothing_to_look_into(page: Page) -> None:
    expect(page.get_by_role("button", name="Look inside")).to_be_hidden()
    scripts = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert not [name for name in scripts if "look-inside.js" in name]


def test_one_detector_is_shown_large_by_pointer_and_by_keyboard(page: Page) -> None:
    look(page)
    sheet = page.locator("[data-sheet]").first
    loupe = page.locator("[data-loupe]").first
    expect(page.locator(".sheet-mark").first).to_be_visible()
    box = sheet.bounding_box()
    assert box
    number, slider = loupe.locator("[data-number]"), loupe.get_by_role("slider")
    strongest = slider.input_value()
    sheet.hover(position={"x": box["width"] / 16, "y": box["height"] / 8})
    expect(number).to_have_text("1")
    loupe.hover()
    expect(number).to_have_text(strongest)
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(number).to_have_text("2")
    page.keyboard.press("End")
    expect(number).to_have_text("32")
    lit = loupe.locator("canvas").evaluate(
        """canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.every((value, index) => index % 4 < 3 || value === 255);
        }"""
    )
    assert lit


def test_a_click_keeps_a_detector_until_the_next_click(page: Page) -> None:
    look(page)
    sheet, number = page.locator("[data-sheet]").first, page.locator("[data-loupe] [data-number]").first
    expect(page.locator(".sheet-mark").first).to_be_visible()
    box = sheet.bounding_box()
    assert box

    def place(column: int) -> Position:  # of the eight in a row
        return {"x": box["width"] * (column + 0.5) / 8, "y": box["height"] / 8}

    sheet.click(position=place(5))
    expect(number).to_have_text("6")
    sheet.hover(position=place(3))
    page.locator("[data-loupe]").first.hover()
    expect(number).to_have_text("6")
    sheet.click(position=place(2))
    expect(number).to_have_text("3")
    # A click on the same one lets it go.
    sheet.click(position=place(2))
    sheet.hover(position=place(7))
    expect(number).to_have_text("8")


def test_a_tap_keeps_a_detector(phone: Page) -> None:
    look(phone)
    sheet = phone.locator("[data-sheet]").first
    expect(phone.locator(".sheet-mark").first).to_be_visible()
    box = sheet.bounding_box()
    assert box
    sheet.tap(position={"x": box["width"] * 5.5 / 8, "y": box["height"] / 8})
    expect(phone.locator("[data-loupe] [data-number]").first).to_have_text("6")


def test_closing_gives_the_focus_back(page: Page) -> None:
    look(page)
    press(page, "Close the look inside")
    expect(page.locator("#inside")).to_be_hidden()
    expect(page.get_by_role("button", name="Look inside", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(inside(page)).to_contain_text("for a seven")


def test_all_votes_can_be_opened(page: Page) -> None:
    look(page)
    rest = page.locator(".votes-rest")
    expect(rest.locator("table")).to_be_hidden()
    rest.get_by_text("The other 120, one by one").click()
    expect(rest.locator("tbody tr")).to_have_count(120)
    expect(rest.locator("tfoot")).to_be_visible()
    assert violations(page) == []


def test_the_look_belongs_to_one_drawing(page: Page) -> None:
    look(page)
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    expect(inside(page)).to_be_visible()
    press(page, "Clear")
    expect(page.locator("#inside")).to_be_hidden()
    look(page, 4)
    expect(inside(page)).to_contain_text("for a four")


@pytest.mark.usefixtures("transformer")
def test_another_network_is_a_click_away(page: Page) -> None:
    page.goto("/")
    look(page)
    inside(page).get_by_role("link", name="vit").click()
    expect(page.locator("[data-inside][data-model=vit]")).to_be_visible()
    expect(inside(page)).to_contain_text("attention heads")
    assert "answer=" in page.url


def test_offline_it_says_so_in_its_place(page: Page) -> None:
    look(page)
    page.context.set_offline(True)
    press(page, "Look inside")
    expect(page.locator("#inside [role=alert]")).to_contain_text("You are offline")


def test_the_first_look_needs_a_connection_and_can_be_tried_again(page: Page) -> None:
    predicted(page, 7)
    page.context.set_offline(True)
    for _ in range(2):
        press(page, "Look inside")
        expect(page.locator("#inside [role=alert]")).to_contain_text("You are offline")
    page.context.set_offline(False)
    press(page, "Look inside")
    expect(inside(page)).to_contain_text("for a seven")


def test_without_script_it_is_a_page(new_page: NewPage, page: Page) -> None:
    prediction_id = predicted(page, 7)
    state = page.context.storage_state()
    plain = new_page(**DESKTOP, java_script_enabled=False, storage_state=state)
    plain.goto(f"/?answer={prediction_id}")
    plain.get_by_role("button", name="Look inside").click()
    expect(inside(plain)).to_contain_text("for a seven")
    expect(plain.locator(".loupe").first).to_be_hidden()
    plain.get_by_role("link", name="Back to the answer").click()
    expect(answer(plain)).to_have_attribute("data-prediction-id", prediction_id)


def test_the_page_of_it_has_the_large_detectors_too(page: Page) -> None:
    prediction_id = predicted(page, 7)
    page.goto(f"/predictions/{prediction_id}/inside")
    expect(page.locator(".sheet-mark").first).to_be_visible()
