from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from mnistweb.recognition.types import Answer
from tests.support.browser.hand import answer, draw, predict, predicted, press
from tests.support.networks import FAILURE, asleep, nine

Install = Callable[[Answer | Exception], None]


def test_every_network_is_asked_about_the_same_drawing(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    button = page.get_by_role("button", name="Compare all models")
    expect(button).to_be_hidden()
    prediction_id = predicted(page, 4)
    button.click()
    expect(page.locator("[data-opinion=cnn]")).to_have_attribute("data-digit", "4")
    expect(page.locator("[data-opinion=second]")).to_have_attribute("data-digit", "9")
    expect(page.locator("[data-opinion=cnn]")).to_contain_text("your answer")
    expect(page.locator("[data-opinion=second]")).not_to_contain_text("your answer")
    expect(page.get_by_role("status")).to_contain_text("Second network: Probably a nine, perhaps a four.")
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    assert answer(page).get_attribute("data-prediction-id") == prediction_id


def test_by_keyboard(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    predicted(page, 4)
    page.locator("#predict").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Compare all models":
            break
    page.keyboard.press("Enter")
    expect(page.locator("[data-opinion=second]")).to_have_attribute("data-digit", "9")
    expect(page.get_by_role("button", name="Compare all models")).to_be_focused()


def test_feedback_leaves_the_comparison_and_the_next_drawing_takes_it_away(
    page: Page, second_network: Install
) -> None:
    second_network(nine())
    page.goto("/")
    predicted(page, 4)
    press(page, "Compare all models")
    compared = page.locator("[data-opinion=second]")
    expect(compared).to_have_attribute("data-digit", "9")
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    expect(compared).to_be_visible()
    press(page, "Clear")
    expect(compared).to_have_count(0)
    predicted(page, 7)
    press(page, "Compare all models")
    expect(compared).to_be_visible()
    draw(page, 3)
    predict(page)
    expect(compared).to_have_count(0)


TOPS = "all => all.map(each => Math.round(each.getBoundingClientRect().top))"


def test_the_cards_are_in_line(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    predicted(page, 4)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion][data-state=said]")).to_have_count(2)
    for part in (".opinion-digit", ".opinion-line", ".bars", ".opinion-time"):
        tops = page.locator(f".opinion {part}").evaluate_all(TOPS)
        assert len(set(tops)) == 1, part


def held_comparison(page: Page, second_network: Install) -> list[Route]:
    """Compare the readings of a four; return the requests, which wait for `continue_`."""
    second_network(nine())
    page.goto("/")
    predicted(page, 4)
    held: list[Route] = []
    page.route("**/comparison", lambda route: held.append(route))
    press(page, "Compare all models")
    return held


def test_a_comparison_is_closed_while_a_model_still_reads(page: Page, second_network: Install) -> None:
    held = held_comparison(page, second_network)
    expect(page.locator("[data-opinion]")).to_have_count(2)
    press(page, "Close the comparison")
    expect(page.locator("#comparison")).to_be_hidden()
    expect(page.get_by_role("button", name="Compare all models")).to_be_focused()
    said = page.locator("#announcement").text_content() or ""
    with page.expect_response("**/comparison"):
        for route in held:
            route.continue_()
    page.unroute("**/comparison")
    expect(page.locator("#announcement")).to_have_text(said)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion][data-state=said]")).to_have_count(2)


def test_a_card_keeps_the_focus_when_its_answer_comes(page: Page, second_network: Install) -> None:
    held = held_comparison(page, second_network)
    link = page.locator("[data-opinion=second]").get_by_role("link")
    link.focus()
    expect(page.locator("[data-opinion=second]")).to_have_attribute("aria-busy", "true")
    for route in held:
        route.continue_()
    expect(page.locator("[data-opinion][data-state=said]")).to_have_count(2)
    expect(link).to_be_focused()


def test_one_that_fails_says_so_in_its_place(page: Page, second_network: Install) -> None:
    second_network(asleep())
    page.goto("/")
    predicted(page, 4)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion=cnn]")).to_have_attribute("data-digit", "4")
    expect(page.locator("[data-opinion=second]")).to_contain_text(FAILURE)


def test_a_slow_one_holds_up_nobody(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    predicted(page, 4)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "second" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/comparison", hold)
    press(page, "Compare all models")
    expect(page.locator("[data-opinion=cnn]")).to_have_attribute("data-digit", "4")
    expect(page.locator("[data-opinion=second]")).to_have_attribute("data-state", "asked")
    held[0].abort("connectionrefused")
    expect(page.locator("[data-opinion=second]")).to_contain_text("The server doesn’t answer.")


def test_the_chosen_network_stays_chosen(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    chooser = page.get_by_role("combobox", name="Model")
    expect(chooser).to_have_value("cnn")
    chooser.select_option("Second network")
    page.goto("/history")
    page.goto("/")
    expect(chooser).to_have_value("second")
    draw(page, 4)
    predict(page)
    expect(answer(page)).to_have_attribute("data-prediction", "9")


def test_a_networks_page_leads_to_the_slate_with_it(page: Page, second_network: Install) -> None:
    second_network(nine())
    page.goto("/")
    page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name="Second network").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second network")
    page.get_by_role("link", name="Try this model").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("second")
    page.wait_for_load_state()
    page.goto("/")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("second")
