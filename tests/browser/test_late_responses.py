"""Responses come late, and in another order than their requests: each belongs to its own drawing."""

import re

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.support.browser.hand import (
    UNDO_TIME,
    answer,
    delete,
    draw,
    kept_strokes,
    predicted,
    press,
    row,
)

LOOK_UP = re.compile(r"\?answer=")


def hold(page: Page, address: str) -> list[Route]:
    """Hold back requests to `address`."""
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))
    return held


def delay(page: Page, address: str | re.Pattern[str]) -> list[tuple[Route, APIResponse]]:
    """Let requests to `address` reach the server, and hold back its responses."""
    delayed: list[tuple[Route, APIResponse]] = []
    page.route(address, lambda route: delayed.append((route, route.fetch())))
    return delayed


def ask(page: Page, prediction_id: str) -> None:
    row(page, prediction_id).get_by_role("link", name="Say what it was").click()
    expect(page.get_by_role("group", name="What was it?")).to_be_visible()


def test_drawing_that_opens_late_does_not_get_the_answer_to_another(page: Page) -> None:
    first = predicted(page, 8)
    press(page, "Clear")
    draw(page, 3)
    strokes = kept_strokes(page)
    held = hold(page, "**/strokes.json")
    page.goto(f"/?answer={first}")
    second = predict_kept(page)
    with page.expect_request_finished(lambda request: request.url.endswith("strokes.json")):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#answer:not([data-stale])")).to_have_attribute("data-prediction-id", second)
    assert kept_strokes(page) == strokes


def predict_kept(page: Page) -> str:
    """Predict the drawing that was kept; the id of its prediction."""
    press(page, "Predict")
    expect(answer(page)).to_have_attribute("data-prediction", "3")
    return answer(page).get_attribute("data-prediction-id") or ""


def test_page_that_follows_a_deletion_does_not_show_the_drawing(page: Page) -> None:
    kept = predicted(page, 8)
    press(page, "Clear")
    deleted = predicted(page, 4)
    delete(page, deleted)
    page.reload()
    expect(row(page, kept)).to_be_visible()
    expect(row(page, deleted)).to_have_count(0)
    expect(answer(page)).to_have_count(0)
    assert not kept_strokes(page)


def test_drawing_that_is_deleted_on_its_page_does_not_open_on_the_slate(page: Page) -> None:
    prediction_id = predicted(page, 4)
    page.goto(f"/predictions/{prediction_id}")
    press(page, "Delete this drawing")
    page.get_by_role("link", name="Open on the slate").click()
    expect(page.get_by_text("No drawings yet")).to_be_visible()
    expect(answer(page)).to_have_count(0)


def test_late_feedback_does_not_bring_back_a_deleted_row(page: Page) -> None:
    prediction_id = predicted(page, 4)
    delayed = delay(page, "**/feedback")
    page.clock.install()
    press(page, "Yes")
    delete(page, prediction_id)
    with page.expect_response("**/delete"):
        page.clock.run_for(UNDO_TIME)
    expect(row(page, prediction_id)).to_have_count(0)
    ((route, response),) = delayed
    route.fulfill(response=response)
    expect(page.locator("#announcement")).to_contain_text("feedback is saved")
    expect(row(page, prediction_id)).to_have_count(0)


def test_of_two_labels_the_later_one_stays(page: Page) -> None:
    prediction_id = predicted(page, 4)
    held = hold(page, "**/feedback")
    press(page, "No")
    press(page, "3")
    press(page, "5")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_text("Saved: it was a three.")).to_be_visible()
    held[1].continue_()
    expect(page.get_by_text("Saved: it was a five.")).to_be_visible()
    page.unroute("**/feedback")
    page.reload()
    expect(row(page, prediction_id).locator(".cell-person")).to_contain_text("5")


def test_answer_that_is_looked_up_does_not_hide_a_later_label(page: Page) -> None:
    prediction_id = predicted(page, 4)
    delayed = delay(page, LOOK_UP)
    press(page, "Predict")
    press(page, "Yes")
    page.wait_for_timeout(300)
    ((route, response),) = delayed
    route.fulfill(response=response)
    expect(page.locator("#answer[aria-busy=true]")).to_have_count(0)
    expect(page.locator("[data-said]")).to_be_visible()
    expect(row(page, prediction_id).locator(".cell-verdict")).to_have_text("right")


def test_label_of_one_row_leaves_the_form_of_another_open(page: Page) -> None:
    first = predicted(page, 4)
    press(page, "Clear")
    second = predicted(page, 8)
    held = hold(page, "**/feedback")
    ask(page, first)
    page.keyboard.press("4")
    ask(page, second)
    held[0].continue_()
    expect(row(page, first).locator(".cell-verdict")).to_have_text("right")
    expect(page.get_by_role("group", name="What was it?")).to_be_visible()
    page.keyboard.press("8")
    page.wait_for_timeout(300)
    assert f"/predictions/{second}/feedback" in held[1].request.url


@pytest.mark.parametrize("changed", ["another answer", "no answer"])
def test_feedback_that_is_lost_late_names_its_drawing(page: Page, changed: str) -> None:
    predicted(page, 4)
    held = hold(page, "**/feedback")
    press(page, "Yes")
    press(page, "Clear")
    if changed == "another answer":
        predicted(page, 8)
    held[0].abort("connectionrefused")
    expect(page.get_by_role("alert")).to_contain_text("previous drawing")
    expect(page.locator("[data-feedback-status]")).not_to_contain_text("server")
