import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import JSHandle, Locator, Page, expect

from mnistweb.database.models import Challenge, Prediction
from mnistweb.extensions import db
from tests.support.browser.devices import DESKTOP, PHONE, NewPage
from tests.support.browser.hand import asked_for, draw, draw_with_finger, places, press

NOT_READ = {"not_a_digit": 0.94, "reason": "It looks more like a letter or a drawing."}


def begin(page: Page) -> None:
    page.goto("/challenge")
    press(page, "Start")
    expect(page.locator("[data-state=running]")).to_be_visible()


def drawn(page: Page) -> Locator:
    return page.locator(".course-sheet img")


def results(page: Page) -> Locator:
    page.wait_for_url("**/challenge/*-*")
    return page.get_by_role("heading", level=1)


def announcements(page: Page) -> JSHandle:
    """All that a screen reader is told from now on, also what the next words soon replace."""
    return page.evaluate_handle("""() => {
      const said = [];
      new MutationObserver((changes) =>
        changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => said.push(node.textContent))),
      ).observe(document.getElementById("announcement"), { childList: true });
      return said;
    }""")


def saved(site: Flask, page: Page) -> list[Prediction]:
    """The drawings of the round whose results the page shows, in the order of its prompts."""
    with site.app_context():
        challenge = db.session.get(Challenge, uuid.UUID(page.url.rpartition("/")[2]))
        assert challenge
        rows = db.session.scalars(db.select(Prediction).where(Prediction.challenge == challenge.id))
        by_prompt = {row.prompt: row for row in rows}
        return [by_prompt[prompt] for prompt in challenge.prompts if prompt in by_prompt]


def test_ten_digits_by_mouse(site: Flask, page: Page) -> None:
    begin(page)
    asked = []
    for number in range(10):
        asked.append(asked_for(page))
        draw(page, asked[-1])
        if number < 9:
            expect(drawn(page)).to_have_count(number + 1)
    assert sorted(asked) == [*range(10)]
    expect(results(page)).to_contain_text("10 of 10 read right in ")
    rows = saved(site, page)
    assert [(row.prompt, row.digit, row.label) for row in rows] == [(each, each, None) for each in asked]
    expect(page.get_by_text("It read every one of them.")).to_be_visible()


def test_a_misread_digit_by_finger(site: Flask, new_page: NewPage) -> None:
    page = new_page(**PHONE)
    begin(page)
    asked = asked_for(page)
    other = (asked + 1) % 10
    draw_with_finger(page, other)
    expect(page.locator("[data-guess]")).to_contain_text(str(other))
    page.wait_for_timeout(700)
    expect(drawn(page)).to_have_count(0)
    page.get_by_role("button", name="That’s it").tap()
    expect(page.locator(".course-place").first).to_have_text(f"{asked}→{other}")
    draw_with_finger(page, asked_for(page))
    expect(drawn(page)).to_have_count(2)
    expect(page.locator(".course-place[data-right=true]")).to_have_count(1)


def test_everything_by_keyboard(page: Page, answering: Callable[..., None]) -> None:
    answering(None, 0.94, **NOT_READ)
    page.goto("/challenge")
    clock = page.get_by_label("Against the clock")
    clock.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#slate")).to_be_focused()
    status = page.get_by_role("status")
    expect(status).to_have_text(f"{sentence(page)} 1 of 10.")
    expect(page.get_by_role("timer")).to_be_hidden()
    for number in range(10):
        before = asked_for(page)
        for key in ("Space", *["ArrowDown"] * 7, "Enter"):
            page.keyboard.press(key)
        if number < 9:
            expect(drawn(page)).to_have_count(number + 1)
            assert asked_for(page) != before
            expect(status).to_have_text(f"Taken. {sentence(page)} {number + 2} of 10.")
    expect(results(page)).to_have_text("0 of 10 read right")
    expect(page.get_by_text("without the clock")).to_be_visible()


def sentence(page: Page) -> str:
    digit = asked_for(page)
    return f"Draw {'an' if digit == 8 else 'a'} {digit}."


def test_an_empty_slate_is_not_taken(page: Page) -> None:
    begin(page)
    press(page, "That’s it")
    expect(page.get_by_role("alert")).to_contain_text("The slate is empty.")
    expect(drawn(page)).to_have_count(0)
    draw(page, (asked_for(page) + 1) % 10)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("[data-board][data-drawn]")).to_have_count(0)


def test_a_doubtful_guess_does_not_agree(page: Page, answering: Callable[..., None]) -> None:
    begin(page)
    answering(asked_for(page), 0.55)
    draw(page, 3)
    expect(page.locator("[data-guess]")).to_contain_text("Perhaps")
    page.wait_for_timeout(700)
    expect(drawn(page)).to_have_count(0)


def test_another_stroke_belongs_to_the_same_drawing(
    site: Flask, page: Page, answering: Callable[..., None]
) -> None:
    begin(page)
    answering(asked_for(page), 0.999)
    first, second = places(page, [(140, 60), (140, 220)]), places(page, [(90, 140), (190, 140)])
    page.mouse.move(*first[0])
    page.mouse.down()
    page.mouse.move(*first[1])
    page.mouse.up()
    expect(page.locator("[data-agreed]")).to_be_visible()
    page.mouse.move(*second[0])
    page.mouse.down()
    expect(page.locator("[data-agreed]")).to_have_count(0)
    page.wait_for_timeout(700)
    expect(drawn(page)).to_have_count(0)
    page.mouse.move(*second[1])
    with page.expect_response("**/drawings/0") as sent:
        page.mouse.up()
    assert sent.value.status == 201
    assert (sent.value.request.post_data or "").count("width") == 2


def test_the_clock_starts_with_the_first_stroke_and_ends_kindly(
    page: Page, answering: Callable[..., None]
) -> None:
    page.clock.install()
    answering(None, 0.94, **NOT_READ)
    begin(page)
    timer = page.get_by_role("timer")
    page.clock.run_for(20_000)
    expect(timer).to_have_text("30 s")
    said = announcements(page)
    draw(page, 4)
    page.clock.run_for(21_000)
    expect(timer).to_have_text("9 s")
    assert "10 seconds left" in said.json_value()
    press(page, "That’s it")
    expect(page.locator(".course-place[data-right]")).to_have_count(1)
    draw(page, 5)
    page.clock.run_for(10_000)
    expect(page.get_by_role("heading", name="Time’s up!")).to_be_visible()
    expect(page.get_by_text("One digit is drawn, and kept.", exact=True).first).to_be_visible()
    press(page, "Go on without the clock")
    expect(timer).to_be_hidden()
    press(page, "That’s it")  # the drawing that was on the slate is still there
    expect(drawn(page)).to_have_count(2)


def test_the_last_stroke_may_be_finished(page: Page, answering: Callable[..., None]) -> None:
    page.clock.install()
    begin(page)
    answering(asked_for(page), 0.999)
    start, end = places(page, [(140, 60), (140, 220)])
    page.mouse.move(*start)
    page.mouse.down()
    page.clock.run_for(31_000)
    expect(page.locator("[data-state=running]")).to_be_visible()
    page.mouse.move(*end)
    page.mouse.up()
    expect(page.locator("[data-agreed]")).to_be_visible()
    page.clock.run_for(1000)
    expect(drawn(page)).to_have_count(1)
    expect(page.get_by_role("heading", name="Time’s up!")).to_be_visible()


def test_the_clock_can_be_switched_off_meanwhile(page: Page, answering: Callable[..., None]) -> None:
    page.clock.install()
    answering(None, 0.94, **NOT_READ)
    begin(page)
    draw(page, 4)
    press(page, "No clock")
    expect(page.locator("#slate")).to_be_focused()
    page.clock.run_for(40_000)
    expect(page.locator("[data-state=running]")).to_be_visible()


def test_drawings_that_did_not_arrive_are_sent_again(
    page: Page, site: Flask, answering: Callable[..., None]
) -> None:
    page.clock.install()
    answering(None, 0.94, **NOT_READ)
    begin(page)
    page.context.set_offline(True)
    for digit in (4, 5):
        draw(page, digit)
        press(page, "That’s it")
    page.clock.run_for(35_000)
    press(page, "See the results")
    expect(page.get_by_role("heading", name="Not everything is saved yet")).to_be_visible()
    expect(page.locator("[data-problem]")).to_contain_text("You are offline.")
    page.context.set_offline(False)
    press(page, "Try again")
    expect(results(page)).to_contain_text(
        "0 of 2 read right in "
    )  # the server knows that it was less than 30 s
    assert len(saved(site, page)) == 2


def test_a_drawing_that_is_refused_stops_nothing(page: Page, answering: Callable[..., None]) -> None:
    page.clock.install()
    answering(None, 0.94, **NOT_READ)
    begin(page)
    refusal = '<p id="error" data-error="empty_drawing"><span>There is no digit to be found: no ink, or a page full of it.</span></p>'
    page.route("**/drawings/0", lambda route: route.fulfill(status=422, body=refusal))
    for digit in (4, 5):
        draw(page, digit)
        press(page, "That’s it")
    expect(page.locator(".course-place").first).to_contain_text("✕")
    page.clock.run_for(31_000)
    press(page, "See the results")
    expect(results(page)).to_contain_text("0 of 1 read right in ")


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_the_slate_stays_where_it_is(
    new_page: NewPage, options: dict[str, object], answering: Callable[..., None]
) -> None:
    page = new_page(**options)
    answering(None, 0.94, **NOT_READ)
    begin(page)
    where = (
        "(e => [e.left, e.top + scrollY, e.width])(document.querySelector('#slate').getBoundingClientRect())"
    )
    before = page.evaluate(where)
    for _ in range(2):
        draw(page, 4)
        assert page.evaluate(where) == before
        press(page, "That’s it")
    expect(page.locator(".course-place[data-right]")).to_have_count(2)
    assert page.evaluate(where) == before


def test_without_javascript_it_says_so(new_page: NewPage) -> None:
    page = new_page(**DESKTOP, java_script_enabled=False)
    page.goto("/challenge")
    expect(page.get_by_text("The challenge needs JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_hidden()
    expect(page.get_by_role("link", name="upload a picture")).to_be_visible()


def test_results_can_be_shared(new_page: NewPage, answering: Callable[..., None]) -> None:
    page = new_page(**DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    page.clock.install()
    answering(None, 0.94, **NOT_READ)
    begin(page)
    draw(page, 4)
    press(page, "That’s it")
    page.clock.run_for(31_000)
    press(page, "See the results")
    results(page)
    press(page, "Copy link")
    expect(page.get_by_role("status")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
