"""The replay of a drawing, the answer that moves with it, and the ribbon below."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser.devices import DESKTOP, PHONE, SMALL_PHONE, NewPage
from tests.support.browser.hand import answer, predicted, press, until

FROM_CACHE = """performance.getEntriesByType("resource")
    .filter(each => each.name.includes("film.json")).map(each => each.transferSize)"""


def opened(page: Page, digit: int = 7) -> str:
    """Open the page of a drawing, with its film."""
    prediction_id = predicted(page, digit)
    page.goto(f"/predictions/{prediction_id}")
    expect(playhead(page)).to_be_visible()
    return prediction_id


def playhead(page: Page) -> Locator:
    return page.locator(".film-playhead")


def scrubber(page: Page) -> Locator:
    return page.get_by_label("How much of it is drawn")


def states(page: Page) -> list[str]:
    """The parts of the answer that the replay changes."""
    return [
        page.locator(part).evaluate("each => each.outerHTML")
        for part in (".verdict", ".bars", ".answer-facts")
    ]


def test_the_answer_moves_with_the_replay_and_comes_back(page: Page) -> None:
    prediction_id = opened(page)
    saved = states(page)
    scrubber(page).fill("0.2")
    expect(page.get_by_text("Replay, 20\u00a0% drawn.")).to_be_visible()
    early = states(page)
    scrubber(page).fill("0.7")
    expect(page.get_by_text("Replay, 70\u00a0% drawn.")).to_be_visible()
    assert len({saved[0], early[0], states(page)[0]}) == 3
    assert early[1] not in (saved[1], states(page)[1])
    # Meanwhile it is still the page of the saved answer, which can't be rated.
    expect(answer(page)).to_have_attribute("data-prediction", "7")
    expect(answer(page)).to_have_attribute("data-prediction-id", prediction_id)
    expect(page.get_by_role("button", name="Yes", exact=True)).to_be_disabled()
    press(page, "Show the answer")
    expect(scrubber(page)).to_be_focused()
    assert states(page) == saved
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    scrubber(page).fill("0.5")
    expect(page.get_by_text("Replay, 50\u00a0% drawn.")).to_be_visible()
    scrubber(page).fill("1")
    expect(page.get_by_text("Replay, 50\u00a0% drawn.")).to_have_count(0)
    expect(page.locator("[data-said-by-person] .bar-name")).to_have_text("7")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_playing_shows_other_answers_on_the_way(new_page: NewPage, motion: str) -> None:
    page = new_page(**DESKTOP, reduced_motion=motion)
    page.goto("/")
    opened(page, 4)
    saved = states(page)
    page.evaluate(
        """() => {
            window.seen = new Set();
            new MutationObserver(() => seen.add(document.querySelector(".verdict-line").textContent))
                .observe(document.getElementById("answer"), { childList: true, subtree: true });
        }"""
    )
    press(page, "Replay")
    until(page, "document.querySelector('[data-replaying]')")
    until(page, "!document.querySelector('[data-replaying]')")
    assert states(page) == saved
    assert page.evaluate("seen.size") >= 2


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_the_ribbon_is_clicked_and_dragged(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options)
    page.goto("/")
    opened(page)
    ribbon = page.locator("[data-film-ribbon]")
    ribbon.scroll_into_view_if_needed()
    box = ribbon.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] * 0.25, middle)
    expect(page.get_by_text("Replay, 25\u00a0% drawn.")).to_be_visible()
    expect(playhead(page)).to_have_attribute("x", re.compile(r"^2[45]\."))
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle + 200)
    expect(page.get_by_text("Replay, 60\u00a0% drawn.")).to_be_visible()
    page.mouse.move(box["x"] + box["width"] * 2, middle)
    page.mouse.up()
    expect(page.locator("[data-replaying]")).to_have_count(0)
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    expect(page.locator("[data-replaying]")).to_have_count(0)


def test_keys_move_it_and_words_go_with_them(page: Page) -> None:
    opened(page)
    expect(scrubber(page)).to_have_attribute("aria-valuetext", "100\u00a0%: Certainly a seven")
    scrubber(page).focus()
    page.keyboard.press("Home")
    expect(scrubber(page)).to_have_attribute(
        "aria-valuetext", re.compile(r"^0\u00a0%: (?!Certainly a\u00a0seven)")
    )
    page.keyboard.press("ArrowRight")
    expect(scrubber(page)).to_have_attribute("aria-valuetext", re.compile(r"^1\u00a0%: "))
    page.keyboard.press("End")
    expect(page.locator("[data-replaying]")).to_have_count(0)
    page.get_by_text("Show as a list").click()
    thoughts = page.locator("[data-film-list] li").all_inner_texts()
    assert len(thoughts) >= 2
    assert thoughts[0].startswith("0 to ")
    assert thoughts[-1].endswith(" to 100\u00a0%: Certainly a seven")


@pytest.mark.parametrize("options", [DESKTOP, PHONE, SMALL_PHONE])
def test_nothing_moves_while_it_is_replayed(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options)
    page.goto("/")
    opened(page)

    def tops() -> list[float]:
        return [
            page.locator(part).evaluate("each => each.getBoundingClientRect().top + scrollY")
            for part in (".bars", ".answer-foot", ".feedback", ".colophon")
        ]

    before = tops()
    for share in range(10):
        scrubber(page).fill(f"0.{share}")
        assert tops() == pytest.approx(before, abs=1)


def test_without_a_film_there_is_the_replay(page: Page) -> None:
    prediction_id = predicted(page, 7)
    page.route("**/film.json*", lambda route: route.abort())
    page.goto(f"/predictions/{prediction_id}")
    expect(page.get_by_role("button", name="Replay")).to_be_enabled()
    expect(page.locator("[data-film]")).to_be_hidden()
    scrubber(page).fill("0.5")
    expect(page.locator("[data-replaying]")).to_have_count(0)


def test_without_a_script_the_page_is_plain(page: Page, new_page: NewPage) -> None:
    prediction_id = predicted(page, 7)
    plain = new_page(**DESKTOP, java_script_enabled=False)
    plain.goto(f"/predictions/{prediction_id}")
    expect(plain.get_by_text("Certainly a")).to_be_visible()
    expect(plain.locator("[data-film]")).to_be_hidden()


def test_the_film_is_asked_for_once(page: Page) -> None:
    prediction_id = opened(page)
    assert page.evaluate(FROM_CACHE)[0] > 0
    page.goto("/")
    page.goto(f"/predictions/{prediction_id}")
    expect(playhead(page)).to_be_visible()
    assert page.evaluate(FROM_CACHE) == [0]
