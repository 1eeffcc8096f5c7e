"""The page while one draws: the answer's place follows the pen, examples, and what Escape closes."""

from playwright.sync_api import Locator, Page, expect

from tests.support.browser.hand import answer, draw, ink_on_slate, kept_strokes, places, predicted, press
from tests.support.drawings import STROKES


def live(page: Page) -> Locator:
    return page.locator("#answer[data-live]")


def test_bars_words_and_picture_follow_the_pen(page: Page) -> None:
    first, *rest = places(page, STROKES[3][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place)
        page.wait_for_timeout(15)
    expect(live(page).locator(".verdict-digit")).to_be_visible()
    page.mouse.up()
    expect(live(page).locator(".verdict-line")).to_contain_text("a three")
    expect(live(page).locator("[data-said-by-network] .bar-name")).to_have_text("3")
    expect(live(page).locator(".seen img")).to_have_js_property("naturalWidth", 28)
    expect(page.get_by_text("A live guess, not saved.")).to_be_visible()
    expect(answer(page)).to_have_count(0)
    expect(page.locator("#own")).to_have_attribute("data-labelled", "0")


def test_predict_makes_the_guess_final(page: Page) -> None:
    draw(page, 4)
    expect(live(page).locator(".verdict-line")).to_contain_text("a four")
    guessed = live(page).locator(".verdict-line").inner_text()
    press(page, "Predict")
    expect(answer(page)).to_have_attribute("data-prediction", "4")
    expect(live(page)).to_have_count(0)
    expect(page.locator(".verdict-line")).to_have_text(guessed)


def test_stale_answer_gives_way_to_the_guess_and_comes_back(page: Page) -> None:
    predicted(page, 1)
    draw(page, 7)
    expect(page.locator("#answer[data-stale][data-live]")).to_have_count(1)
    expect(page.locator("#answer")).to_have_attribute("data-prediction", "1")
    for _ in STROKES[7]:
        press(page, "Undo")
    expect(page.locator("#answer[data-stale]")).to_have_count(0)
    expect(live(page)).to_have_count(0)
    expect(page.locator(".verdict-line")).to_contain_text("a one")


def test_predict_takes_one_request(page: Page) -> None:
    draw(page, 4)
    expect(live(page)).to_have_count(1)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    press(page, "Predict")
    expect(page.locator("[data-prediction-row] img")).to_have_js_property("naturalWidth", 144)
    expect(page.locator(".seen img")).to_have_js_property("naturalWidth", 28)
    page.wait_for_timeout(200)
    # The browser looks up its icon for the new address, in its cache.
    ours = [url.rpartition("/")[2] for url in requests if not url.startswith("data:")]
    assert [name for name in ours if name != "icon.svg"] == ["predictions"]


def test_empty_slate_takes_no_request(page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    press(page, "Predict")
    expect(page.get_by_role("alert")).to_contain_text("The slate is empty.")
    assert requests == []


def test_example_is_put_on_the_slate_and_read(page: Page) -> None:
    press(page, "Put a seven on the slate")
    expect(live(page).locator(".verdict-line")).to_contain_text("a seven")
    press(page, "Predict")
    expect(answer(page)).to_have_attribute("data-prediction", "7")
    strokes = kept_strokes(page)
    press(page, "Undo")
    assert kept_strokes(page) == strokes[:-1]


def test_all_examples_are_read_right(page: Page) -> None:
    for name, digit in (("four", "4"), ("seven", "7"), ("two", "2")):
        press(page, f"Put a {name} on the slate")
        press(page, "Predict")
        expect(answer(page)).to_have_attribute("data-prediction", digit)
        page.keyboard.press("Escape")
        expect(answer(page)).to_have_count(0)


def test_escape_closes_what_is_on_top_before_it_wipes(page: Page) -> None:
    predicted(page, 4)
    inked = ink_on_slate(page)
    press(page, "Look inside")
    expect(page.locator("[data-inside] .sheet-mark")).to_have_count(4)
    page.route("**/predictions", lambda route: route.abort("connectionrefused"))
    page.evaluate(
        "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))"
    )
    expect(page.locator("[data-notice]").get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-notice]").get_by_role("alert")).to_have_count(0)
    expect(page.locator("#inside")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#inside")).to_be_hidden()
    assert ink_on_slate(page) == inked
    expect(answer(page)).to_have_count(1)
    page.keyboard.press("Escape")
    assert ink_on_slate(page) == 0
    expect(answer(page)).to_have_count(0)
    press(page, "Undo")
    assert ink_on_slate(page) == inked
