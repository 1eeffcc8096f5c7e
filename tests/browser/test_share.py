from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, NewPage
from tests.support.browser.hand import UNDO_TIME, draw, predicted, press
from tests.support.browser.states import Stage
from tests.support.networks import nine

SHARE_DIALOG = "navigator.share = async (data) => { window.shared = data; };"
DISMISSED = "navigator.share = async () => { throw new DOMException('', 'AbortError'); };"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def allow_clipboard(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def test_the_link_is_copied_and_the_status_is_said(page: Page, base_url: str) -> None:
    allow_clipboard(page)
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()
    prediction_id = predicted(page, 7)
    page.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#announcement")).to_have_text("Link copied")
    expect(page.get_by_role("button", name="Link copied")).to_be_focused()
    assert copied(page) == f"{base_url}/predictions/{prediction_id}"
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()


def test_the_page_of_a_drawing_has_the_same_button(page: Page, new_page: NewPage, base_url: str) -> None:
    address = f"{base_url}/predictions/{predicted(page, 7)}"
    stranger = new_page(**DESKTOP)
    for visitor in (page, stranger):
        allow_clipboard(visitor)
        visitor.goto(address)
        press(visitor, "Copy link")
        expect(visitor.locator("#announcement")).to_have_text("Link copied")
        assert copied(visitor) == address


def test_a_phone_shares(new_page: NewPage, base_url: str) -> None:
    page = new_page(**PHONE)
    page.add_init_script(SHARE_DIALOG)
    page.goto("/")
    prediction_id = predicted(page, 7)
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
    press(page, "Share")
    shared: dict[str, Any] = page.evaluate("window.shared")
    assert shared["url"] == f"{base_url}/predictions/{prediction_id}"
    assert "a seven" in shared["title"]


def test_what_is_shared_is_the_answer_also_while_a_replay_shows_others(new_page: NewPage) -> None:
    page = new_page(**PHONE)
    page.add_init_script(SHARE_DIALOG)
    page.goto("/")
    page.goto(f"/predictions/{predicted(page, 7)}")
    headline = page.locator(".verdict-line").text_content()
    page.get_by_label("How much of it is drawn").fill("0.2")
    expect(page.locator("[data-replaying] .verdict-line")).not_to_have_text(headline or "")
    press(page, "Share")
    assert page.evaluate("window.shared.title") == headline


def test_a_dismissed_dialog_changes_nothing(new_page: NewPage) -> None:
    page = new_page(**DESKTOP)
    page.add_init_script(DISMISSED)
    page.goto("/")
    predicted(page, 7)
    said = page.locator("#announcement").text_content() or ""
    press(page, "Share")
    expect(page.locator("#announcement")).to_have_text(said)
    expect(page.get_by_label("Link to this drawing")).to_be_hidden()


def test_without_a_clipboard_the_address_is_there_to_copy(new_page: NewPage, base_url: str) -> None:
    page = new_page(**DESKTOP)
    page.add_init_script(NO_CLIPBOARD)
    page.goto("/")
    prediction_id = predicted(page, 7)
    press(page, "Copy link")
    address = page.get_by_label("Link to this drawing")
    expect(address).to_be_focused()
    expect(address).to_have_value(f"{base_url}/predictions/{prediction_id}")
    assert page.evaluate("document.activeElement.selectionEnd") == len(
        f"{base_url}/predictions/{prediction_id}"
    )
    assert violations(page) == []


def test_private_drawings_are_not_shared(page: Page, stage: Stage) -> None:
    stage.set_up("PUBLIC_HISTORY", "own")
    page.reload()
    prediction_id = predicted(page, 7)
    for address in ("/", f"/predictions/{prediction_id}"):
        page.goto(address)
        expect(page.locator("#answer")).to_be_visible()
        expect(page.locator("[data-share]")).to_have_count(0)


def test_without_script_there_is_no_button(page: Page, new_page: NewPage) -> None:
    prediction_id = predicted(page, 7)
    plain = new_page(**DESKTOP, java_script_enabled=False)
    plain.goto(f"/predictions/{prediction_id}")
    expect(plain.get_by_role("button", name="Look inside")).to_be_visible()
    expect(plain.get_by_role("button", name="Copy link")).to_be_hidden()


def test_a_stranger_follows_the_address_of_an_answer(page: Page, new_page: NewPage, base_url: str) -> None:
    prediction_id = predicted(page, 7)
    expect(page).to_have_url(f"{base_url}/?answer={prediction_id}")
    stranger = new_page(**DESKTOP)
    stranger.goto(page.url)
    expect(stranger).to_have_url(f"{base_url}/predictions/{prediction_id}")
    expect(stranger.get_by_role("heading", name="Someone’s drawing")).to_be_visible()
    press(stranger, "Look inside")
    expect(stranger.locator("[data-inside]")).to_contain_text("This drawing, shrunk to 28 by 28 grey pixels.")
    stranger.get_by_role("link", name="Back to the answer").click()
    expect(stranger).to_have_url(f"{base_url}/predictions/{prediction_id}")


def test_a_stranger_compares_and_closes(page: Page, new_page: NewPage, stage: Stage) -> None:
    stage.second_network(nine())
    address = f"/predictions/{predicted(page, 4)}"
    stranger = new_page(**DESKTOP)
    stranger.goto(address)
    press(stranger, "Compare all models")
    expect(stranger.locator("[data-opinion][data-state=said]")).to_have_count(2)
    expect(stranger.get_by_role("heading", name="All models on this drawing")).to_be_visible()
    assert violations(stranger) == []
    press(stranger, "Close the comparison")
    expect(stranger.locator("[data-opinion]")).to_have_count(0)
    expect(stranger.get_by_role("button", name="Compare all models")).to_be_focused()


@pytest.mark.parametrize("script", [True, False])
def test_a_deleted_drawing_is_said_to_be_gone(page: Page, new_page: NewPage, script: bool) -> None:
    prediction_id = predicted(page, 7)
    page.goto(f"/predictions/{prediction_id}")
    page.clock.install()
    press(page, "Delete this drawing")
    page.clock.run_for(UNDO_TIME)
    expect(page.get_by_text("No drawings yet")).to_be_visible()
    stranger = new_page(**DESKTOP, java_script_enabled=script)
    stranger.goto(f"/?answer={prediction_id}")
    gone = stranger.get_by_text("That drawing was deleted, or it isn’t public.")
    expect(gone).to_be_visible()
    assert not script or violations(stranger) == []
    if script:
        draw(stranger, 4)
        expect(gone).to_have_count(0)


def test_the_preview_is_a_picture_of_the_drawing(page: Page) -> None:
    page.goto(f"/predictions/{predicted(page, 7)}")
    address = page.locator("meta[property='og:image']").get_attribute("content") or ""
    response = page.request.get(address)
    assert response.headers["content-type"] == "image/png"
    assert response.body().startswith(b"\x89PNG")
