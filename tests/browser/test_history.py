import gzip
import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, NewPage
from tests.support.browser.hand import UNDO_TIME, answer, delete, ink_on_slate, predicted, press, row, until
from tests.support.browser.overflow import overflows

PIXELS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) inked += data[i] > 127;
    return inked;
}"""


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_a_word_is_changed_in_the_table(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options)
    page.goto("/")
    first = predicted(page, 4)
    press(page, "Clear")
    second = predicted(page, 8)
    row(page, first).get_by_role("link", name="Say what it was").click()
    press(page, "9")
    expect(row(page, first).locator(".cell-verdict")).to_have_text("wrong")
    expect(page.locator("#own")).to_have_attribute("data-accuracy", "0.0")
    expect(answer(page)).to_have_attribute("data-prediction-id", second)
    assert page.locator("[data-said]").count() == 0
    row(page, first).get_by_role("link", name="9, change it").click()
    expect(page.get_by_role("button", name="9", pressed=True)).to_be_focused()
    page.keyboard.press("4")
    expect(row(page, first).locator(".cell-verdict")).to_have_text("right")
    expect(row(page, first).get_by_role("link", name="4, change it")).to_be_focused()
    # Of the drawing whose answer is shown, that changes too.
    row(page, second).get_by_role("link", name="Say what it was").click()
    press(page, "Not a digit")
    expect(page.get_by_text("Saved: not a digit.")).to_be_visible()


def test_asking_what_it_was_can_be_left(page: Page) -> None:
    first = predicted(page, 4)
    inked = ink_on_slate(page)
    change = row(page, first).get_by_role("link", name="Say what it was")
    for leave in ("Escape", "Leave it as it is"):
        change.click()
        expect(page.get_by_role("group", name="What was it?")).to_be_visible()
        press(page, leave) if leave == "Leave it as it is" else page.keyboard.press(leave)
        expect(page.get_by_role("group", name="What was it?")).to_have_count(0)
        expect(change).to_be_focused()
    assert ink_on_slate(page) == inked


def test_drawings_are_deleted_one_by_one_and_all_at_once(page: Page) -> None:
    ids = []
    for digit in (4, 8, 3):
        ids.append(predicted(page, digit))
        press(page, "Yes")
        expect(page.locator("[data-said]")).to_be_visible()
        press(page, "Clear") if digit != 3 else None
    page.clock.install()
    delete(page, ids[0])
    expect(row(page, ids[0])).to_be_hidden()
    page.clock.run_for(UNDO_TIME)
    expect(page.locator("#own")).to_have_attribute("data-labelled", "2")
    expect(row(page, ids[0])).to_have_count(0)
    expect(row(page, ids[1]).get_by_role("button")).to_be_focused()
    expect(answer(page)).to_have_attribute("data-prediction-id", ids[2])
    # With the drawing whose answer is shown, that goes too, and the slate is wiped.
    delete(page, ids[2])
    page.clock.run_for(UNDO_TIME)
    expect(answer(page)).to_have_count(0)
    assert ink_on_slate(page) == 0
    assert page.url.endswith("/")
    page.get_by_text("Delete all my drawings").click()
    expect(page.get_by_text("your only drawing")).to_be_visible()
    press(page, "Yes, delete it")
    expect(page.get_by_text("No drawings yet")).to_be_visible()
    assert page.url.endswith("/#own")
    page.reload()
    expect(page.locator("[data-prediction-row]")).to_have_count(0)


def test_deletion_of_all_drawings_wipes_the_slate(page: Page) -> None:
    predicted(page, 4)
    page.get_by_text("Delete all my drawings").click()
    expect(page.get_by_text("your only drawing")).to_be_visible()
    page.wait_for_load_state()  # the script has run by then
    press(page, "Yes, delete it")
    expect(page.get_by_text("No drawings yet")).to_be_visible()
    assert ink_on_slate(page) == 0
    expect(answer(page)).to_have_count(0)


def test_deletion_can_be_undone_for_some_seconds(page: Page) -> None:
    first = predicted(page, 4)
    page.clock.install()
    delete(page, first)
    expect(page.locator("[data-undo]")).to_contain_text("Drawing deleted.")
    page.clock.run_for(UNDO_TIME // 2)
    press(page, "Undo the deletion")
    page.clock.run_for(UNDO_TIME)
    expect(row(page, first)).to_be_visible()
    expect(answer(page)).to_have_attribute("data-prediction-id", first)
    page.reload()
    expect(row(page, first)).to_be_visible()


def test_leaving_the_page_deletes_at_once(page: Page) -> None:
    first = predicted(page, 4)
    delete(page, first)
    page.goto("/history")
    page.goto("/")
    expect(row(page, first)).to_have_count(0)


def test_deletion_on_a_drawings_page_can_be_undone(page: Page) -> None:
    first = predicted(page, 4)
    page.goto(f"/predictions/{first}")
    press(page, "Delete this drawing")
    press(page, "Undo the deletion")
    expect(page.get_by_role("button", name="Delete this drawing")).to_be_focused()
    page.clock.install()
    press(page, "Delete this drawing")
    page.clock.run_for(UNDO_TIME)
    expect(page.get_by_text("No drawings yet")).to_be_visible()


def test_what_could_not_be_deleted_stays_and_is_said(page: Page) -> None:
    first = predicted(page, 4)
    page.clock.install()
    page.context.set_offline(True)
    delete(page, first)
    page.clock.run_for(UNDO_TIME)
    expect(page.locator("#own").get_by_role("alert")).to_contain_text("offline")
    expect(row(page, first)).to_be_visible()


def test_everything_works_without_a_script(page: Page, new_page: NewPage) -> None:
    first = predicted(page, 4)
    cookies = page.context.cookies()
    plain = new_page(**DESKTOP, java_script_enabled=False)
    plain.context.add_cookies(cookies)  # type: ignore[arg-type]
    plain.goto("/")
    row(plain, first).get_by_role("link", name="Say what it was").click()
    plain.get_by_label("Correct digit").fill("9")
    press(plain, "Submit feedback")
    expect(plain.get_by_text("Saved: it was a nine.")).to_be_visible()
    plain.wait_for_load_state()  # with the style sheet, which hides what needs a script
    expect(plain.get_by_role("img", name="The drawing")).to_be_visible()
    plain.goto("/history")
    plain.locator(".filter summary").click()
    plain.get_by_label("Verdict").select_option("wrong")
    plain.get_by_label("only mine").check()
    press(plain, "Show")
    assert plain.url.endswith("/history?verdict=wrong&mine=1")
    expect(row(plain, first)).to_be_visible()
    row(plain, first).get_by_role("link").first.click()
    press(plain, "Delete this drawing")
    expect(plain.get_by_text("No drawings yet")).to_be_visible()


def test_the_filters_are_in_the_address_and_in_words(page: Page) -> None:
    four = predicted(page, 4)
    press(page, "Clear")
    eight = predicted(page, 8)
    page.goto("/history")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Read as").select_option("4")
    page.get_by_label("only mine").check()
    press(page, "Show")
    page.wait_for_url(re.compile(r"/history\?digit=4&mine=1$"))
    expect(page.locator(".filter-words")).to_contain_text("drawings: your own · read as 4")
    expect(row(page, four)).to_be_visible()
    expect(row(page, eight)).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1
    assert four in lines[0]
    page.get_by_role("link", name="Clear filters").click()
    expect(row(page, eight)).to_be_visible()


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_the_gallery_works_by_keyboard_and_keeps_the_filter(
    new_page: NewPage, options: dict[str, object]
) -> None:
    page = new_page(**options)
    page.goto("/")
    four = predicted(page, 4)
    page.goto("/history?mine=1&sort=least_sure")
    page.get_by_role("link", name="Gallery").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/history?**view=gallery**")
    expect(page.locator(".filter-words")).to_contain_text("your own")
    expect(page.get_by_text("Your drawings, least sure first")).to_be_visible()
    tile = page.get_by_role("list", name="History").get_by_role("listitem")
    expect(tile).to_have_count(1)
    expect(tile.get_by_role("link")).to_have_accessible_name(re.compile(r"^Drawing read as 4 .* not rated"))
    assert violations(page) == []
    assert overflows(page) == []
    tile.get_by_role("link").click()
    page.wait_for_url(f"**/predictions/{four}")


def test_gallery_order_and_pager_work_without_a_script(page: Page, new_page: NewPage) -> None:
    ids = []
    for _ in range(3):
        ids.append(predicted(page, 4))
        press(page, "Clear")
    cookies = page.context.cookies()
    plain = new_page(**DESKTOP, java_script_enabled=False)
    plain.context.add_cookies(cookies)  # type: ignore[arg-type]
    plain.goto("/history?limit=2&view=gallery")
    plain.locator(".filter summary").click()
    plain.get_by_label("Sort").select_option("oldest first")
    plain.get_by_label("only mine").check()
    press(plain, "Show")
    assert plain.url.endswith("/history?sort=oldest&mine=1&view=gallery&limit=2")
    tiles = plain.locator(".gallery-tile")
    expect(tiles).to_have_count(2)
    plain.get_by_role("link", name="Newer").click()
    expect(tiles).to_have_count(1)
    expect(row(plain, ids[2])).to_be_visible()
    plain.get_by_role("link", name="Older").click()
    expect(row(plain, ids[0])).to_be_visible()
    expect(row(plain, ids[1])).to_be_visible()


def test_training_file_is_downloaded(page: Page) -> None:
    predicted(page, 4)
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    page.goto("/history?mine=1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Training file").click()
    assert download.value.suggested_filename == "mnistweb-history.strokes.json.gz"
    [entry] = json.loads(gzip.decompress(download.value.path().read_bytes()))
    assert entry["label"] == 4


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_drawing_is_drawn_again(new_page: NewPage, motion: str) -> None:
    page = new_page(**DESKTOP, reduced_motion=motion)
    page.goto("/")
    prediction_id = predicted(page, 4)
    page.goto(f"/predictions/{prediction_id}")
    canvas = page.locator("[data-replay]")
    expect(page.get_by_role("button", name="Replay")).to_be_enabled()
    until(page, f"({PIXELS})(document.querySelector('[data-replay]')) > 0")
    whole = canvas.evaluate(PIXELS)
    press(page, "Replay")
    until(page, f"({PIXELS})(document.querySelector('[data-replay]')) < {whole}")
    expect(page.get_by_role("button", name="Replay")).to_be_visible()
    assert canvas.evaluate(PIXELS) == whole
    range_ = page.get_by_label("How much of it is drawn")
    range_.fill("0.5")
    half = canvas.evaluate(PIXELS)
    assert 0 < half < whole
    range_.fill("0")
    press(page, "Replay")
    press(page, "Pause")
    assert canvas.evaluate(PIXELS) < whole


def test_its_page_takes_feedback_and_shows_what_others_may_see(page: Page, new_page: NewPage) -> None:
    prediction_id = predicted(page, 4)
    page.goto(f"/predictions/{prediction_id}")
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    assert page.url.endswith(prediction_id)
    other = new_page(**DESKTOP)
    other.goto(f"/predictions/{prediction_id}")
    expect(other.get_by_text("Its author says: a four.")).to_be_visible()
    expect(other.get_by_role("button", name="Delete this drawing")).to_have_count(0)
    expect(other.get_by_role("button", name="Yes", exact=True)).to_have_count(0)
