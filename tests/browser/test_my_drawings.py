"""A deletion is known to the whole page, and no step leaves the keyboard without a focus."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from mnistweb.recognition.types import Answer
from tests.support.browser.hand import (
    UNDO_TIME,
    answer,
    delete,
    ink_on_slate,
    kept_strokes,
    places,
    predict,
    predicted,
    press,
    row,
)
from tests.support.drawings import STROKES, Points
from tests.support.networks import nine

BAR: Points = [(90.0, 60.0), (200.0, 60.0)]


def several(page: Page, *digits: int) -> list[str]:
    """Draw and predict each digit; the ids of the predictions."""
    ids: list[str] = []
    for digit in digits:
        press(page, "Clear") if ids else None
        ids.append(predicted(page, digit))
    return ids


def ask(page: Page, prediction_id: str) -> None:
    row(page, prediction_id).get_by_role("link", name="Say what it was").click()
    expect(page.get_by_role("group", name="What was it?")).to_be_visible()


def hold(page: Page, address: str) -> list[Route]:
    """Hold back requests to `address`."""
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))
    return held


def delete_elsewhere(page: Page, prediction_id: str) -> None:
    """Delete a drawing in another tab."""
    other = page.context.new_page()
    other.goto("/")
    delete(other, prediction_id)
    for address in ("/history", "/"):  # leaving deletes at once
        other.goto(address)
    expect(row(other, prediction_id)).to_have_count(0)
    other.close()


def test_form_goes_with_the_row_of_a_drawing_deleted_elsewhere(page: Page) -> None:
    first, second = several(page, 4, 8)
    ask(page, second)
    delete_elsewhere(page, second)
    page.keyboard.press("3")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(row(page, second)).to_have_count(0)
    expect(page.locator(".relabel-row")).to_have_count(0)
    expect(row(page, first).get_by_role("button")).to_be_focused()
    ask(page, first)
    page.keyboard.press("4")
    expect(row(page, first).locator(".cell-verdict")).to_have_text("right")


def test_form_goes_with_its_row_when_the_answer_finds_the_drawing_deleted(page: Page) -> None:
    first, second = several(page, 4, 8)
    ask(page, second)
    delete_elsewhere(page, second)
    press(page, "Yes")
    expect(page.get_by_role("alert")).to_contain_text("This drawing was deleted")
    expect(page.locator(".relabel-row")).to_have_count(0)
    ask(page, first)


@pytest.mark.parametrize("name", ["Predict", "Yes"])
def test_who_uses_an_answer_keeps_its_drawing(page: Page, name: str) -> None:
    prediction_id = predicted(page, 4)
    page.clock.install()
    delete(page, prediction_id)
    expect(row(page, prediction_id)).to_be_hidden()
    press(page, name)
    expect(row(page, prediction_id)).to_be_visible()
    expect(page.locator("[data-undo]")).to_be_empty()
    expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.clock.run_for(UNDO_TIME)
    page.reload()
    expect(row(page, prediction_id)).to_be_visible()
    expect(answer(page)).to_have_attribute("data-prediction-id", prediction_id)


def test_a_drawing_that_comes_back_is_announced(page: Page) -> None:
    prediction_id = predicted(page, 4)
    delete(page, prediction_id)
    held = hold(page, "**/feedback")
    press(page, "Yes")
    expect(page.locator("#announcement")).to_have_text("The drawing is back")
    held[0].continue_()
    expect(page.locator("#announcement")).to_have_text("Thank you, your feedback is saved.")


def test_late_feedback_leaves_a_deleted_row_hidden(page: Page) -> None:
    prediction_id = predicted(page, 4)
    held = hold(page, "**/feedback")
    press(page, "Yes")
    delete(page, prediction_id)
    held[0].continue_()
    expect(page.locator("[data-said]")).to_be_visible()
    expect(row(page, prediction_id)).to_be_hidden()
    press(page, "Undo the deletion")
    expect(row(page, prediction_id).locator(".cell-verdict")).to_have_text("right")
    expect(row(page, prediction_id).get_by_role("button")).to_be_focused()


def test_slate_keeps_a_drawing_that_another_model_answered(
    page: Page, second_network: Callable[[Answer | Exception], None]
) -> None:
    second_network(nine())
    page.goto("/")
    first = predicted(page, 4)
    page.get_by_role("combobox", name="Model").select_option("Second network")
    second = predict(page)
    inked = ink_on_slate(page)
    page.clock.install()
    for prediction_id, left in ((first, inked), (second, 0)):
        delete(page, prediction_id)
        page.clock.run_for(UNDO_TIME)
        expect(row(page, prediction_id)).to_have_count(0)
        assert ink_on_slate(page) == left
        expect(answer(page)).to_have_count(1 if left else 0)


def test_deletion_spares_a_drawing_that_goes_on(page: Page) -> None:
    prediction_id = predicted(page, 4)
    page.clock.install()
    delete(page, prediction_id)
    (start, end) = places(page, BAR)
    page.mouse.move(*start)
    page.mouse.down()
    page.clock.run_for(UNDO_TIME)
    expect(row(page, prediction_id)).to_have_count(0)
    page.mouse.move(*end)
    page.mouse.up()
    assert len(kept_strokes(page)) == len(STROKES[4]) + 1


def test_feedback_on_a_drawings_page_undoes_its_deletion(page: Page) -> None:
    prediction_id = predicted(page, 4)
    page.goto(f"/predictions/{prediction_id}")
    page.clock.install()
    press(page, "Delete this drawing")
    press(page, "Yes")
    expect(page.get_by_role("button", name="Delete this drawing")).to_be_enabled()
    expect(page.locator("[data-said]")).to_be_visible()
    page.clock.run_for(UNDO_TIME)
    page.reload()
    expect(page.locator("[data-said]")).to_be_visible()


def test_the_back_button_shows_no_drawing_that_leaving_deleted(page: Page) -> None:
    prediction_id = predicted(page, 4)
    page.goto(f"/predictions/{prediction_id}")
    press(page, "Delete this drawing")
    with page.expect_request_finished(lambda request: request.url.endswith("/delete")):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    assert page.get_by_role("button", name="Undo the deletion").count() == 0
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was drawn here")


@pytest.mark.parametrize("address", ["/", "/predictions/{}"])
def test_feedback_keeps_the_focus(page: Page, address: str) -> None:
    page.goto(address.format(predicted(page, 4)))
    yes = page.get_by_role("button", name="Yes", exact=True)
    yes.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-said]")).to_be_visible()
    expect(yes).to_be_focused()
    page.get_by_role("button", name="No", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="0", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: it was a zero.")).to_be_focused()


def test_deletions_in_a_row_keep_the_focus(page: Page) -> None:
    ids = several(page, 4, 8, 3)
    held = hold(page, "**/delete")
    row(page, ids[0]).get_by_role("button").focus()
    for prediction_id in ids[1:]:
        page.keyboard.press("Enter")
        expect(row(page, prediction_id).get_by_role("button")).to_be_focused()
    with page.expect_request("**/delete"):  # of the second drawing; the third may still be undone
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your drawings")).to_be_focused()
    assert len(held) == 2


def test_deletion_of_a_row_with_an_open_form_keeps_the_focus(page: Page) -> None:
    first, second = several(page, 4, 8)
    ask(page, second)
    delete(page, second)
    expect(row(page, first).get_by_role("button")).to_be_focused()
