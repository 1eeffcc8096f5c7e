"""An answer belongs to the drawing that it was given for, whatever happens in between."""

import random
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser.hand import (
    UNDO_TIME,
    answer,
    draw,
    ink_on_slate,
    kept_strokes,
    places,
    predict,
    predicted,
    press,
    stroke,
    until,
)
from tests.support.drawings import STROKES, Points, digit_png

BAR: Points = [(90.0, 60.0), (200.0, 60.0)]


def stale(page: Page) -> Locator:
    return page.locator("#answer[data-prediction][data-stale]")


def current(page: Page) -> Locator:
    return page.locator("#answer[data-prediction]:not([data-stale])")


def rows(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-prediction-row]").evaluate_all(
        "rows => rows.map(row => row.dataset.predictionRow)"
    )
    return found


def hold(page: Page) -> list[Route]:
    """Hold back what the page sends to be predicted."""
    held: list[Route] = []
    page.route("**/predictions", lambda route: held.append(route))
    return held


def upload(page: Page, digit: int) -> None:
    file = {"name": "digit.png", "mimeType": "image/png", "buffer": digit_png(digit)}
    page.get_by_label("Upload a picture").set_input_files(file)  # type: ignore[arg-type]


def test_answer_is_stale_as_soon_as_the_pen_is_down(page: Page) -> None:
    first = predicted(page, 1)
    expect(current(page)).to_have_count(1)
    ((x, y), (right, below)) = places(page, BAR)
    page.mouse.move(x, y)
    page.mouse.down()
    expect(stale(page)).to_have_attribute("data-prediction-id", first)
    page.mouse.move(right, below)
    page.mouse.up()
    expect(stale(page)).to_have_attribute("data-prediction", "1")
    assert page.locator("#answer fieldset:enabled").count() == 0
    page.keyboard.press("7")
    expect(page.get_by_label("Correct digit")).to_have_value("")
    assert "answer=" not in page.url


def test_row_of_a_stale_answer_can_be_judged(page: Page) -> None:
    first = predicted(page, 1)
    stroke(page, BAR)
    page.locator(f"[data-prediction-row='{first}']").get_by_role("link", name="Say what it was").click()
    press(page, "It’s right")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    expect(stale(page)).to_have_count(1)


def test_undo_brings_the_answer_back(page: Page) -> None:
    first = predicted(page, 1)
    stroke(page, BAR)
    expect(stale(page)).to_have_count(1)
    press(page, "Undo")
    expect(current(page)).to_have_attribute("data-prediction-id", first)
    expect(page.locator(".verdict-line")).to_contain_text("a one")
    assert f"answer={first}" in page.url
    press(page, "Redo")
    expect(stale(page)).to_have_count(1)


def test_stroke_over_a_picture_is_a_drawing_of_its_own(page: Page) -> None:
    upload(page, 7)
    expect(current(page)).to_have_attribute("data-prediction", "7")
    inked = ink_on_slate(page)
    stroke(page, STROKES[1][0])
    expect(stale(page)).to_have_count(1)
    assert len(kept_strokes(page)) == 1
    press(page, "Undo")
    expect(current(page)).to_have_attribute("data-prediction", "7")
    assert ink_on_slate(page) == inked


def test_reload_keeps_a_changed_drawing_and_no_answer(page: Page) -> None:
    predicted(page, 1)
    stroke(page, BAR)
    page.reload()
    expect(page.locator("[data-drawn]")).to_be_visible()
    assert len(kept_strokes(page)) == len(STROKES[1]) + 1
    expect(answer(page)).to_have_count(0)


def test_late_answer_goes_to_its_row(page: Page) -> None:
    held = hold(page)
    draw(page, 3)
    press(page, "Predict")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Escape")
    draw(page, 7)
    expect(page.locator("#answer[aria-busy='true']")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    expect(answer(page)).to_have_count(0)
    expect(page.locator("#announcement")).to_contain_text("previous drawing")
    expect(page.locator("[data-guess]")).to_contain_text("a 7")


def test_picture_chosen_while_an_answer_is_under_way_is_read(page: Page) -> None:
    held = hold(page)
    draw(page, 3)
    press(page, "Predict")
    upload(page, 7)
    page.wait_for_timeout(300)
    assert len(held) == 2
    held[1].continue_()
    expect(current(page)).to_have_attribute("data-prediction", "7")
    held[0].continue_()
    expect(page.locator("[data-prediction-row]")).to_have_count(2)
    expect(current(page)).to_have_attribute("data-prediction", "7")
    page.unroute("**/predictions")
    page.reload()
    expect(page.locator("[data-prediction-row]")).to_have_count(2)


def test_answered_drawing_is_not_predicted_again(page: Page) -> None:
    first = predicted(page, 1)
    press(page, "Predict")
    expect(page.locator("#answer:not([aria-busy='true'])")).to_have_count(1)
    stroke(page, BAR)
    second = predict(page)
    press(page, "Undo")
    expect(stale(page)).to_have_attribute("data-prediction-id", second)
    press(page, "Predict")
    expect(current(page)).to_have_attribute("data-prediction-id", first)
    assert set(rows(page)) == {first, second}
    page.reload()
    press(page, "Predict")
    expect(current(page)).to_have_attribute("data-prediction-id", first)
    expect(page.locator("[data-prediction-row]")).to_have_count(2)


def test_answered_drawing_is_known_after_a_reload_and_undo(page: Page) -> None:
    first = predicted(page, 1)
    stroke(page, BAR)
    second = predict(page)
    stroke(page, BAR)
    page.reload()
    for known in (second, first):
        press(page, "Undo")
        press(page, "Predict")
        expect(current(page)).to_have_attribute("data-prediction-id", known)
    page.reload()
    assert set(rows(page)) == {first, second}


def test_lost_answer_is_found_again_after_undo(page: Page) -> None:
    draw(page, 4)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/predictions", lose)
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_contain_text("doesn’t answer")
    page.unroute("**/predictions")
    stroke(page, BAR)
    press(page, "Undo")
    predict(page)
    expect(current(page)).to_have_attribute("data-prediction", "4")
    page.reload()
    expect(page.locator("[data-prediction-row]")).to_have_count(1)


def test_opened_drawing_comes_back_as_strokes(page: Page) -> None:
    first = predicted(page, 8)
    strokes = kept_strokes(page)
    press(page, "Clear")
    predicted(page, 3)
    page.locator(f"[data-prediction-row='{first}'] .cell-drawing a").click()
    page.get_by_role("link", name="Open on the slate").click()
    until(page, f"sessionStorage.getItem('drawing').includes('{first}')")
    expect(current(page)).to_have_attribute("data-prediction-id", first)
    assert kept_strokes(page) == strokes
    stroke(page, BAR)
    expect(stale(page)).to_have_attribute("data-prediction-id", first)
    assert kept_strokes(page)[:-1] == strokes
    press(page, "Undo")
    expect(current(page)).to_have_attribute("data-prediction-id", first)
    for _ in strokes:
        press(page, "Undo")
    assert len(kept_strokes(page)) < len(strokes)
    expect(stale(page)).to_have_count(1)


def test_menu_brings_drawing_and_answer_back(page: Page) -> None:
    first = predicted(page, 4)
    page.get_by_role("link", name="History").first.click()
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(current(page)).to_have_attribute("data-prediction-id", first)


def test_back_button_brings_the_whole_page_of_a_looked_up_answer(page: Page) -> None:
    first = predicted(page, 4)
    press(page, "Predict")
    expect(page.locator("#answer:not([aria-busy='true'])")).to_have_count(1)
    page.get_by_role("link", name="History").first.click()
    page.wait_for_url("**/history")
    page.go_back()
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    expect(current(page)).to_have_attribute("data-prediction-id", first)


def come_back(page: Page) -> None:
    """Restore the page, as the back button does."""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")


def test_page_that_comes_back_knows_of_feedback_on_another(page: Page) -> None:
    first = predicted(page, 4)
    other = page.context.new_page()
    other.goto(f"/predictions/{first}")
    press(other, "Yes")
    expect(other.locator("[data-said]")).to_be_visible()
    come_back(page)
    expect(current(page)).to_have_attribute("data-label", "4")
    expect(page.locator(f"[data-prediction-row='{first}'] .cell-verdict")).to_have_text("right")
    assert kept_strokes(page)


def test_page_that_comes_back_knows_of_a_deletion_on_another(page: Page) -> None:
    predicted(page, 4)
    delete_elsewhere(page)
    come_back(page)
    expect(page.get_by_role("alert")).to_contain_text("This drawing was deleted")
    expect(answer(page)).to_have_count(0)


def test_drawing_whose_prediction_was_deleted_is_predicted_anew(page: Page) -> None:
    first = predicted(page, 3)
    press(page, "Clear")
    page.clock.install()
    page.locator(f"[data-prediction-row='{first}']").get_by_role("button", name="Delete").click()
    with page.expect_response("**/delete"):
        page.clock.run_for(UNDO_TIME)
    press(page, "Undo")
    assert predict(page) != first
    expect(current(page)).to_have_attribute("data-prediction", "3")
    expect(page.locator("[data-prediction-row]")).to_have_count(1)


def test_drawing_deleted_in_another_tab_is_predicted_anew(page: Page) -> None:
    first = predicted(page, 4)
    delete_elsewhere(page)
    assert predict(page) != first
    expect(current(page)).to_have_attribute("data-prediction", "4")
    expect(page.get_by_role("alert")).to_have_count(0)


def delete_elsewhere(page: Page) -> None:
    """Delete all drawings in another tab."""
    other = page.context.new_page()
    other.goto("/")
    other.get_by_text("Delete all my drawings").click()
    press(other, "Yes, delete it")
    expect(other.get_by_text("No drawings yet")).to_be_visible()


def test_drawing_deleted_in_another_tab_closes_its_answer(page: Page) -> None:
    predicted(page, 4)
    delete_elsewhere(page)
    press(page, "Yes")
    expect(page.get_by_role("alert")).to_contain_text("This drawing was deleted")
    expect(answer(page)).to_have_count(0)
    expect(page.locator("[data-prediction-row]")).to_have_count(0)


def test_two_tabs_have_their_own_drawings(page: Page) -> None:
    first = predicted(page, 4)
    other = page.context.new_page()
    other.goto("/")
    second = predicted(other, 7)
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    other.reload()
    expect(other.locator("#own")).to_have_attribute("data-labelled", "1")
    expect(current(other)).to_have_attribute("data-prediction-id", second)
    expect(current(page)).to_have_attribute("data-prediction-id", first)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_current_answer_always_has_the_strokes_on_the_slate(page: Page, seed: int) -> None:
    rng = random.Random(seed)
    actions: list[Callable[[], object]] = [
        lambda: stroke(page, [(rng.uniform(40, 240), rng.uniform(40, 240)) for _ in range(2)]),
        lambda: page.keyboard.press("Control+z"),
        lambda: page.keyboard.press("Control+y"),
        lambda: page.keyboard.press("Escape"),
        lambda: press(page, "Predict"),
        lambda: press(page, "Predict"),
        lambda: page.reload(wait_until="networkidle"),
    ]
    draw(page, 3)
    for _ in range(25):
        rng.choice(actions)()
        expect(page.locator("#answer:not([aria-busy='true'])")).to_have_count(1)
        shown = current(page)
        if shown.count():
            name = shown.get_attribute("data-prediction-id")
            stored = page.request.get(f"/predictions/{name}/strokes.json").json()
            assert stored["strokes"] == kept_strokes(page)
