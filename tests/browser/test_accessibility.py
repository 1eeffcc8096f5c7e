from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import contrast, violations
from tests.support.browser.devices import DEVICES, NewPage
from tests.support.browser.hand import answer, delete, draw, predict, predicted
from tests.support.browser.states import STATES, Stage, begin_round


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing(stage: Stage, new_page: NewPage, state: str, device: str, scheme: str) -> None:
    # Both devices have the same colours, so each theme is judged on one.
    page = new_page(**DEVICES[device], color_scheme=scheme, reduced_motion="reduce")
    STATES[state](page, stage)
    assert violations(page) == []


def test_everything_by_keyboard_alone(page: Page) -> None:
    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(e => e.ariaLabel ?? e.innerText)(document.activeElement)") == name:
                return
        raise AssertionError(f"the Tab key never came to {name!r}")

    def keys(*names: str) -> None:
        for name in names:
            page.keyboard.press(name)

    tab_to("Slate")
    keys(*["ArrowUp"] * 5, "Space", *["ArrowDown"] * 10, "Space", "Enter")
    expect(answer(page)).to_have_attribute("data-prediction", "1")
    prediction_id = answer(page).get_attribute("data-prediction-id")
    keys("7", "Enter")
    expect(page.get_by_text("Saved: it was a seven.")).to_be_visible()
    tab_to("Submit feedback")
    keys("Shift+Tab", "1", "Enter")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "1.0")
    keys("Escape")
    page.locator("#slate").focus()
    keys("Escape")
    expect(answer(page)).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    tab_to("History")
    keys("Enter")
    page.wait_for_url("**/history")
    expect(page.locator(f"[data-prediction-row='{prediction_id}']")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/history", "/nowhere"])
def test_the_first_tab_leads_past_the_masthead(page: Page, path: str) -> None:
    page.goto(path)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()


def test_screen_readers_are_told_of_the_answer(page: Page, answering: Callable[..., None]) -> None:
    answering(4, 0.55, second=9)
    page.locator("#slate").focus()
    for key in ("Space", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("status")).to_have_text("Probably a four, perhaps a nine. Confidence 55.0 %.")


@pytest.mark.parametrize("keys", [["Escape"], ["Control+z"]], ids=["closed", "stale"])
def test_an_answer_that_is_put_away_gives_the_focus_to_the_slate(page: Page, keys: list[str]) -> None:
    predicted(page, 7)
    page.get_by_role("button", name="Yes", exact=True).focus()
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#slate")).to_be_focused()


@pytest.mark.parametrize("tool", ["Clear", "Undo", "Redo"])
def test_a_tool_that_has_nothing_more_to_do_gives_the_focus_to_the_slate(page: Page, tool: str) -> None:
    draw(page, 1)
    if tool == "Redo":
        page.keyboard.press("Control+z")
    page.get_by_role("button", name=tool).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=tool)).to_be_hidden()
    expect(page.locator("#slate")).to_be_focused()


@pytest.mark.parametrize("tool", ["Clear", "Undo"])
def test_so_do_the_tools_of_a_challenge(page: Page, stage: Stage, tool: str) -> None:
    begin_round(page, stage)
    draw(page, 1)
    page.get_by_role("button", name=tool).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=tool)).to_be_hidden()
    expect(page.locator("#slate")).to_be_focused()


def test_the_button_that_deletes_keeps_the_focus(page: Page) -> None:
    page.goto(f"/predictions/{predicted(page, 7)}")
    button = page.get_by_role("button", name="Delete this drawing")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("This drawing will be deleted.")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo the deletion").press("Enter")
    expect(button).to_be_enabled()
    expect(button).to_be_focused()


def test_screen_readers_are_told_of_a_deletion(page: Page) -> None:
    delete(page, predicted(page, 7))
    expect(page.get_by_role("status")).to_have_text("Drawing deleted.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_digit_of_a_live_guess_can_be_seen(new_page: NewPage, stage: Stage, scheme: str) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto("/")
    stage.answering(4, 0.55, second=9)
    draw(page, 4)
    expect(page.locator("[data-live] .verdict-second")).to_have_text("9")
    for sign in page.locator("[data-live=sign], [data-live=second]").all():
        assert contrast(sign) >= 3  # large text


def test_screen_readers_are_told_again_of_the_same(page: Page) -> None:
    said = []
    for digit in (1, 7):
        draw(page, digit)
        page.keyboard.press("Escape")
        expect(page.get_by_role("status")).to_have_text("Cleared")
        said.append(page.get_by_role("status").text_content())
    assert said[0] != said[1]


def test_screen_readers_hear_of_the_answer_and_of_feedback_once(page: Page) -> None:
    page.evaluate(
        """() => {
            window.said = [];
            const place = document.getElementById("announcement");
            new MutationObserver(() => said.push(place.textContent)).observe(place, { childList: true });
        }"""
    )
    draw(page, 7)
    expect(page.locator("#answer[data-live]")).to_be_visible()  # guesses would be too many
    predict(page)
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.locator("[data-said]")).to_be_visible()
    answered, thanks = page.evaluate("said")
    assert answered.startswith("Certainly a seven.")
    assert thanks == "Thank you, your feedback is saved."
