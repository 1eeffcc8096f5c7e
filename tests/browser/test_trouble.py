from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.hand import (
    answer,
    draw,
    ink_on_slate,
    kept_strokes,
    predict,
    predicted,
    press,
    stroke,
)
from tests.support.browser.states import STATES, Stage


def told(page: Page) -> Any:
    return expect(page.get_by_role("alert"))


def test_an_empty_slate_is_no_digit(page: Page) -> None:
    press(page, "Predict")
    told(page).to_contain_text("The slate is empty.")
    expect(answer(page)).to_have_count(0)
    expect(page.locator("[data-prediction-row]")).to_have_count(0)
    stroke(page, [(100.0, 100.0), (100.0, 200.0)])
    expect(page.get_by_role("alert")).to_have_count(0)


def test_offline_the_drawing_stays_and_can_be_sent_later(page: Page) -> None:
    draw(page, 4)
    before = ink_on_slate(page)
    page.context.set_offline(True)
    press(page, "Predict")
    told(page).to_contain_text("You are offline")
    assert ink_on_slate(page) == before
    page.context.set_offline(False)
    predict(page)
    expect(answer(page)).to_have_attribute("data-prediction", "4")
    expect(page.get_by_role("alert")).to_have_count(0)


def refuse(route: Route) -> None:
    route.abort("connectionrefused")


def bad_gateway(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<html><h1>Bad Gateway</h1></html>")


@pytest.mark.parametrize("trouble", [refuse, bad_gateway])
def test_a_server_that_is_down_is_told_and_nothing_is_lost(page: Page, trouble: Any) -> None:
    draw(page, 4)
    page.route("**/predictions", trouble)
    press(page, "Predict")
    told(page).to_contain_text("The server doesn’t answer")
    told(page).not_to_contain_text("Gateway")
    assert kept_strokes(page)
    expect(page.get_by_role("button", name="Predict")).to_have_attribute("aria-disabled", "false")


def test_an_answer_that_is_lost_on_the_way_is_saved_once(page: Page) -> None:
    keys: list[str | None] = []

    def lose(route: Route) -> None:
        keys.append(route.request.header_value("Idempotency-Key"))
        route.fetch()
        route.abort("connectionreset")

    draw(page, 4)
    page.route("**/predictions", lose)
    for _ in range(2):
        press(page, "Predict")
        told(page).to_contain_text("doesn’t answer")
        expect(page.get_by_role("button", name="Predict")).to_have_attribute("aria-disabled", "false")
    page.unroute("**/predictions")
    predict(page)
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    assert len(set(keys)) == 1


def test_while_the_server_thinks_the_page_says_so_and_asks_once(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/predictions", lambda route: waiting.append(route))
    draw(page, 4)
    press(page, "Predict")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Predict").dispatch_event("click")
    page.wait_for_timeout(200)
    assert len(waiting) == 1
    waiting[0].continue_()
    expect(answer(page)).to_have_attribute("data-prediction", "4")


def test_what_could_not_be_saved_is_said_to_be_not_saved(page: Page, stage: Stage) -> None:
    STATES["not-saved"](page, stage)
    expect(answer(page)).to_have_attribute("data-prediction", "2")
    expect(page.get_by_text("Not saved.", exact=True)).to_be_visible()
    expect(page.locator(".seen img")).to_have_js_property("naturalWidth", 28)
    expect(page.get_by_label("Correct digit")).to_be_disabled()
    expect(page.locator("[data-prediction-row]")).to_have_count(0)


def test_feedback_that_does_not_arrive_is_said_and_kept_in_the_field(page: Page) -> None:
    predicted(page, 4)
    page.route("**/feedback", refuse)
    page.get_by_label("Correct digit").fill("9")
    press(page, "Submit feedback")
    told(page).to_have_text("The server doesn’t answer. Nothing is lost. Try again in a moment.")
    expect(page.get_by_label("Correct digit")).to_have_value("9")
    page.unroute("**/feedback")
    press(page, "Submit feedback")
    expect(page.locator("#own")).to_have_attribute("data-labelled", "1")


def test_a_form_that_expired_asks_for_a_reload_which_loses_nothing(page: Page) -> None:
    draw(page, 4)
    page.context.clear_cookies()
    press(page, "Predict")
    told(page).to_contain_text("Reload")
    told(page).to_contain_text("allow cookies for this site")
    page.reload()
    predict(page)
    expect(answer(page)).to_have_attribute("data-prediction", "4")


def test_a_wrong_address_has_a_page(page: Page) -> None:
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="Nothing was drawn here")).to_be_visible()
    page.get_by_role("link", name="Back to the slate").click()
    expect(page.locator("#slate")).to_be_visible()
