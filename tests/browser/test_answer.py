import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser.devices import DESKTOP, NewPage
from tests.support.browser.hand import (
    answer,
    draw,
    draw_with_finger,
    ink_on_slate,
    judge,
    predict,
    predicted,
    press,
    stroke,
)
from tests.support.drawings import digit_png, draw_digit


def own_row(page: Page, prediction_id: str) -> list[str]:
    row = page.locator(f"[data-prediction-row='{prediction_id}']")
    expect(row).to_be_visible()
    return [cell.strip() for cell in row.locator("td:not(.cell-delete)").all_inner_texts()]


def test_all_digits_are_read(page: Page) -> None:
    for digit in range(10):
        predicted(page, digit)
        press(page, "Clear")
        expect(answer(page)).to_have_count(0)


def test_a_digit_drawn_with_a_finger_is_read(phone: Page) -> None:
    draw_with_finger(phone, 2)
    predict(phone)
    expect(answer(phone)).to_have_attribute("data-prediction", "2")


def test_the_answer_comes_without_a_reload(page: Page) -> None:
    page.evaluate("window.same = true")
    prediction_id = predicted(page, 7)
    assert page.evaluate("window.same")
    shown = answer(page)
    expect(shown.locator(".verdict-line")).to_contain_text("a seven")
    expect(shown.locator(".verdict-number")).to_contain_text("%")
    expect(shown.locator(".bar")).to_have_count(11)
    expect(shown.locator("[data-said-by-network] .bar-name")).to_have_text("7")
    expect(shown.locator(".seen img")).to_have_js_property("naturalWidth", 28)
    expect(page.locator("#announcement")).to_contain_text("a seven")
    assert own_row(page, prediction_id)[2] == "7"


def test_the_drawing_shrinks_into_the_picture_that_the_network_sees(page: Page) -> None:
    draw(page, 3)
    press(page, "Predict")
    page.wait_for_selector(".flight")
    page.wait_for_selector(".flight", state="detached")


def test_nothing_moves_where_less_motion_is_wanted(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    page.evaluate(
        """() => new MutationObserver(seen => {
            window.flown = seen.some(each => each.addedNodes[0]?.className === "flight");
        }).observe(document.body, { childList: true })"""
    )
    predicted(page, 3)
    assert not page.evaluate("window.flown")


def test_the_correct_digit_is_typed_and_submitted(page: Page) -> None:
    prediction_id = predicted(page, 4)
    page.get_by_label("Correct digit").fill("9")
    press(page, "Submit feedback")
    expect(page.get_by_text("Saved: it was a nine.")).to_be_visible()
    assert own_row(page, prediction_id)[4:] == ["9", "wrong"]
    own = page.locator("#own")
    expect(own).to_have_attribute("data-labelled", "1")
    expect(own).to_have_attribute("data-accuracy", "0.0")


def test_one_gesture_says_right(page: Page) -> None:
    prediction_id = predicted(page, 4)
    press(page, "Yes")
    expect(page.get_by_role("button", name="Yes", exact=True)).to_have_attribute("aria-pressed", "true")
    assert own_row(page, prediction_id)[4:] == ["4", "right"]
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    expect(page.locator("#announcement")).to_have_text("Thank you, your feedback is saved.")


def test_no_asks_for_the_right_digit(page: Page) -> None:
    prediction_id = predicted(page, 4)
    expect(page.get_by_role("group", name="What was it?")).to_be_hidden()
    press(page, "No")
    expect(page.get_by_role("button", name="0", exact=True)).to_be_focused()
    press(page, "9")
    expect(page.get_by_text("Saved: it was a nine.")).to_be_visible()
    assert own_row(page, prediction_id)[4:] == ["9", "wrong"]


def test_that_was_no_digit(page: Page) -> None:
    prediction_id = predicted(page, 4)
    judge(page, "Not a digit")
    expect(page.locator("[data-said-by-person] .bar-name")).to_have_text("none")
    assert own_row(page, prediction_id)[4:] == ["not a digit", "wrong"]


def test_a_number_key_and_enter_give_feedback(page: Page) -> None:
    predicted(page, 4)
    page.keyboard.press("6")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: it was a six.")).to_be_visible()
    expect(page.get_by_label("Correct digit")).to_be_focused()


def test_feedback_can_be_changed(page: Page) -> None:
    predicted(page, 4)
    judge(page, "Not a digit")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "0.0")
    press(page, "Yes")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    expect(page.locator("#own")).to_have_attribute("data-labelled", "1")


@pytest.mark.parametrize("wrong", ["10", "-1", "2.5", ""])
def test_the_field_takes_one_digit_only(page: Page, wrong: str) -> None:
    predicted(page, 4)
    page.get_by_label("Correct digit").fill(wrong)
    press(page, "Submit feedback")
    expect(page.locator("#own")).to_have_attribute("data-labelled", "0")


def test_a_reload_loses_nothing(page: Page) -> None:
    first = predicted(page, 4)
    press(page, "Yes")
    press(page, "Clear")
    second = predicted(page, 8)
    judge(page, "Not a digit")
    expect(page.locator("#own")).to_have_attribute("data-labelled", "2")
    before = ink_on_slate(page)
    page.reload()
    expect(page.locator("[data-drawn]")).to_be_visible()
    expect(answer(page)).to_have_attribute("data-prediction-id", second)
    assert ink_on_slate(page) == before
    own = page.locator("#own")
    expect(own).to_have_attribute("data-labelled", "2")
    expect(own).to_have_attribute("data-accuracy", "0.5")
    assert own_row(page, first)[4:] == ["4", "right"]
    assert own_row(page, second)[4:] == ["not a digit", "wrong"]
    rows = page.locator("[data-prediction-row]").evaluate_all(
        "rows => rows.map(row => row.dataset.predictionRow)"
    )
    assert rows == [second, first]


def test_clearing_puts_the_answer_away(page: Page) -> None:
    predicted(page, 4)
    press(page, "Clear")
    expect(answer(page)).to_have_count(0)
    expect(page.get_by_label("Correct digit")).to_be_hidden()
    assert page.url.endswith("/")


def test_an_answer_is_opened_again_and_put_back_on_the_slate(page: Page) -> None:
    first = predicted(page, 4)
    press(page, "Clear")
    predicted(page, 8)
    page.locator(f"[data-prediction-row='{first}'] .cell-drawing a").click()
    page.get_by_role("link", name="Open on the slate").click()
    expect(answer(page)).to_have_attribute("data-prediction-id", first)
    expect(page.locator("[data-drawn]")).to_be_visible()
    press(page, "Yes")
    expect(page.locator("#own")).to_have_attribute("data-labelled", "1")
    # Drawing on makes another drawing of it.
    stroke(page, [(140.0, 60.0), (140.0, 220.0)])
    assert predict(page) != first


def test_the_table_is_ones_own_and_the_history_everyones(page: Page, new_page: NewPage) -> None:
    mine = predicted(page, 4)
    other = new_page(**DESKTOP)
    other.goto("/")
    expect(other.locator("[data-prediction-row]")).to_have_count(0)
    other.get_by_role("link", name="History").first.click()
    expect(other.locator(f"[data-prediction-row='{mine}']")).to_be_visible()
    other.goto(f"/?answer={mine}")
    assert other.url.endswith(f"/predictions/{mine}")
    expect(other.get_by_role("heading", name="Someone’s drawing")).to_be_visible()


def test_the_history_is_turned_page_by_page(page: Page) -> None:
    ids = []
    for digit in (1, 2, 3):
        ids.append(predicted(page, digit))
        press(page, "Clear")
    page.goto("/history?limit=2")
    rows = page.locator("[data-prediction-row]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_attribute("data-prediction-row", ids[2])
    page.get_by_role("link", name="Older").click()
    expect(rows.first).to_have_attribute("data-prediction-row", ids[0])
    page.get_by_role("link", name="Newest").click()
    expect(rows.first).to_have_attribute("data-prediction-row", ids[2])


def test_a_picture_is_uploaded(page: Page) -> None:
    page.get_by_label("Upload a picture").set_input_files(
        {"name": "five.png", "mimeType": "image/png", "buffer": digit_png(5)}
    )
    expect(answer(page)).to_have_attribute("data-prediction", "5")
    assert ink_on_slate(page) > 1000
    page.goto("/history")
    expect(page.locator("[data-prediction-row] .cell-source").first).to_have_text("uploaded")


def test_a_large_photo_is_shrunk_before_it_travels(page: Page) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 40, (3000, 3000), np.uint8)
    Image.fromarray(np.maximum(np.asarray(draw_digit(5).resize((3000, 3000))), noise)).save(file, "PNG")
    with page.expect_request("**/predictions") as asked:
        page.get_by_label("Upload a picture").set_input_files(
            {"name": "five.png", "mimeType": "image/png", "buffer": file.getvalue()}
        )
    assert int(asked.value.all_headers()["content-length"]) < len(file.getvalue()) / 5
    expect(answer(page)).to_have_attribute("data-prediction", "5")


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped(page: Page, way: str) -> None:
    page.evaluate(
        """async ([way, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "six.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true };
            const event = way === "paste"
                ? new ClipboardEvent("paste", { ...options, clipboardData: data })
                : new DragEvent("drop", { ...options, dataTransfer: data });
            document.querySelector("#slate").dispatchEvent(event);
        }""",
        [way, list(digit_png(6))],
    )
    expect(answer(page)).to_have_attribute("data-prediction", "6")


def test_what_is_no_picture_is_said_to_be_none(page: Page) -> None:
    page.get_by_label("Upload a picture").set_input_files(
        {"name": "notes.txt", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("Can’t read this file")


def test_it_works_as_a_plain_form(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False, **DESKTOP)
    page.goto("/")
    page.get_by_label("Upload a picture").set_input_files(
        {"name": "seven.png", "mimeType": "image/png", "buffer": digit_png(7)}
    )
    press(page, "Predict")
    expect(answer(page)).to_have_attribute("data-prediction", "7")
    page.get_by_label("Correct digit").fill("1")
    press(page, "Submit feedback")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "0.0")
    press(page, "Yes")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")


def test_the_theme_is_switched_and_kept(new_page: NewPage) -> None:
    page = new_page(color_scheme="light")
    page.goto("/")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name=re.compile("light and dark")).click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto("/history")
    assert page.evaluate(paper) == dark
    page.get_by_role("button", name=re.compile("light and dark")).click()
    page.reload()
    assert page.evaluate(paper) == light


def test_sure_unsure_and_refused_answers_are_told_in_words(
    page: Page, answering: Callable[..., None]
) -> None:
    said = page.locator(".verdict-line")
    for told, words in (
        ({"digit": 4, "confidence": 0.995}, "Certainly a four"),
        ({"digit": 8, "confidence": 0.95}, "Almost certainly an eight"),
        ({"digit": 4, "confidence": 0.8}, "Probably a four"),
        ({"digit": 4, "confidence": 0.55, "second": 9}, "Probably a four, perhaps a nine"),
        (
            {"digit": 4, "confidence": 0.55, "not_a_digit": 0.4},
            "Probably a four, but perhaps not a digit",
        ),
        ({"digit": None, "confidence": 0.9, "not_a_digit": 0.9}, "This is not a digit"),
        ({"digit": None, "confidence": 0.6, "not_a_digit": 0.6}, "Probably not a digit"),
        (
            {"digit": None, "confidence": 0.2, "not_a_digit": 0.2},
            "Perhaps a one (22 %), perhaps not a digit (20 %)",
        ),
    ):
        answering(**told)
        page.keyboard.press("Escape")
        draw(page, 4)
        predict(page)
        expect(said).to_have_text(words)
        expect(answer(page)).to_have_attribute("data-prediction", str(told["digit"]).lower())


def test_that_a_refusal_was_right_can_be_said(page: Page, answering: Callable[..., None]) -> None:
    answering(None, 0.9, not_a_digit=0.9, reason="This looks like a letter.")
    draw(page, 4)
    prediction_id = predict(page)
    expect(page.get_by_text("This looks like a letter.")).to_be_visible()
    press(page, "Yes")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    assert own_row(page, prediction_id)[2:] == ["not a digit", "90.0 %", "not a digit", "right"]
