from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error, Locator, Page, Request, Route, expect

from mnistweb.recognition.types import Answer
from tests.support.browser.hand import (
    draw,
    draw_with_finger,
    places,
    predict,
    predicted,
    press,
    stroke,
    until,
)
from tests.support.drawings import STROKES
from tests.support.networks import nine


def line(page: Page) -> Locator:
    return page.locator("[data-guess]")


def asked(page: Page) -> list[Request]:
    """The guesses that the page asks for from now on."""
    requests: list[Request] = []

    def note(request: Request) -> None:
        if "/guess?" in request.url:
            requests.append(request)

    page.on("request", note)
    return requests


def test_a_guess_appears_while_one_draws_and_is_not_logged(page: Page) -> None:
    expect(line(page)).to_be_empty()
    first, *rest = places(page, STROKES[3][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place)
        page.wait_for_timeout(10)
    expect(line(page)).not_to_be_empty()
    expect(line(page)).not_to_contain_text("%")
    page.mouse.up()
    expect(line(page)).to_have_text("Looks like a 3 · > 99.9 %")
    page.reload()
    expect(line(page)).to_have_text("Looks like a 3 · > 99.9 %")
    expect(page.locator("[data-prediction-row]")).to_have_count(0)


def test_with_a_finger_too(phone: Page) -> None:
    draw_with_finger(phone, 7)
    expect(line(phone)).to_contain_text("a 7")
    press(phone, "Undo")
    expect(line(phone)).to_be_empty()


def test_it_can_be_switched_off_for_good(page: Page) -> None:
    requests = asked(page)
    switch = page.get_by_label("Guess while I draw")
    expect(switch).to_be_checked()
    switch.uncheck()
    draw(page, 4)
    page.reload()
    expect(switch).not_to_be_checked()
    page.wait_for_timeout(300)
    expect(line(page)).to_be_empty()
    assert requests == []
    switch.check()
    expect(line(page)).to_contain_text("a 4")


def test_only_the_latest_request_counts(page: Page) -> None:
    held: list[Route] = []
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.failure or ""))
    page.route("**/guess?*", lambda route: held.append(route))
    stroke(page, [(100.0, 100.0), (100.0, 100.0)])
    stroke(page, [(100.0, 200.0), (100.0, 200.0)])
    expect(line(page)).to_be_empty()
    latest: list[Route] = []
    for _ in range(100):
        latest = [route for route in held if "width=13" in route.request.url]  # two dots, one above the other
        if latest and failed:
            break
        page.wait_for_timeout(50)
    assert "net::ERR_ABORTED" in failed
    latest[-1].fulfill(
        json={"digit": 5, "words": {"guess": "Looks like a 5 · 90.0 %", "guess_short": "Looks like a 5"}}
    )
    expect(line(page)).to_have_text("Looks like a 5 · 90.0 %")


def test_what_goes_wrong_is_not_worth_a_word(page: Page) -> None:
    page.context.set_offline(True)
    draw(page, 4)
    page.wait_for_timeout(200)
    expect(line(page)).to_be_empty()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.context.set_offline(False)
    page.route("**/guess?*", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    press(page, "Undo")
    page.wait_for_timeout(200)
    expect(line(page)).to_be_empty()


def test_it_agrees_with_the_answer(page: Page, answering: Callable[..., None]) -> None:
    draw(page, 4)
    expect(line(page)).to_contain_text("a 4")
    answering(9, 0.66, second=4)
    predict(page)
    expect(line(page)).to_have_text("Perhaps a 9 · 66.0 %")
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    expect(line(page)).to_have_text("Perhaps a 9 · 66.0 %")
    page.reload()
    expect(line(page)).to_have_text("Perhaps a 9 · 66.0 %")
    press(page, "Clear")
    expect(line(page)).to_be_empty()


def test_a_guess_that_comes_after_the_answer_is_too_late(page: Page) -> None:
    held: list[Route] = []
    page.route("**/guess?*", lambda route: held.append(route))
    predicted(page, 4)
    expect(line(page)).to_contain_text("a 4")
    with suppress(Error):  # nobody waits for it any more
        held[-1].fulfill(
            json={"digit": 5, "words": {"guess": "Looks like a 5 · 90.0 %", "guess_short": "Looks like a 5"}}
        )
    page.wait_for_timeout(200)
    expect(line(page)).to_contain_text("a 4")


def test_the_chosen_network_guesses(page: Page, second_network: Callable[[Answer], None]) -> None:
    second_network(nine())
    page.goto("/")
    draw(page, 4)
    expect(line(page)).to_contain_text("a 4")
    page.get_by_role("combobox", name="Model").select_option("second")
    expect(line(page)).to_have_text("Perhaps a 9 · 57.0 %")


def test_another_network_does_not_guess_at_a_drawing_that_is_opened_with_its_answer(
    page: Page, second_network: Callable[[Answer], None]
) -> None:
    first = predicted(page, 4)
    press(page, "Clear")
    second_network(nine())
    page.goto("/")
    page.get_by_role("combobox", name="Model").select_option("second")
    page.goto(f"/predictions/{first}")
    page.get_by_role("link", name="Open on the slate").click()
    until(page, f"sessionStorage.getItem('drawing').includes('{first}')")
    expect(line(page)).to_contain_text("a 4")
    page.wait_for_timeout(500)
    expect(line(page)).to_contain_text("a 4")
    shown = page.locator("#answer:not([data-live]):not([data-stale])")
    expect(shown).to_have_attribute("data-prediction", "4")
    expect(page.get_by_role("button", name="Yes", exact=True)).to_be_enabled()


def test_one_that_runs_elsewhere_is_not_asked(page: Page, second_network: Callable[[Answer], None]) -> None:
    second_network(nine())
    page.goto("/")
    requests = asked(page)
    page.get_by_role("combobox", name="Model").select_option("second")
    page.evaluate("document.querySelector('#network').selectedOptions[0].dataset.elsewhere = ''")
    draw(page, 4)
    page.wait_for_timeout(200)
    expect(line(page)).to_be_empty()
    assert requests == []


def test_it_moves_nothing(page: Page) -> None:
    def tops() -> list[float]:
        places: list[float] = page.evaluate(
            "['slate', 'predict', 'answer'].map(id => document.getElementById(id).offsetTop)"
        )
        return places

    before = tops()
    draw(page, 4)
    expect(line(page)).not_to_be_empty()
    assert tops() == before


def test_slow_device_guesses_once_the_pen_is_lifted(page: Page) -> None:
    page.evaluate(
        """() => {
            const usual = requestAnimationFrame;
            window.requestAnimationFrame = (call) => usual((time) => {
                call(time);
                const until = performance.now() + 30;
                while (performance.now() < until);
            });
        }"""
    )
    draw(page, 1)
    expect(line(page)).to_contain_text("a 1")
    page.wait_for_timeout(200)
    requests = asked(page)
    first, *rest = places(page, STROKES[7][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place)
        page.wait_for_timeout(50)
    assert requests == []
    page.mouse.up()
    page.wait_for_timeout(300)
    assert len(requests) == 1
