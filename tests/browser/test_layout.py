from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect

from tests.support.browser.devices import DESKTOP, PHONE, SMALL_PHONE, TOO_LOW, WINDOW_SIZES, NewPage
from tests.support.browser.fonts import in_every_font
from tests.support.browser.hand import predicted, press
from tests.support.browser.overflow import covered, overflows
from tests.support.browser.states import STATES, Stage
from tests.support.browser.targets import small_targets

SLATE = "rgb(35, 41, 44)"
SHIFTS = """
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const each of list.getEntries()) shifts.push(each.value);
    }).observe({ type: "layout-shift", buffered: true });
"""


@in_every_font
@pytest.mark.parametrize(
    "state",
    [
        "waiting",
        "answered",
        "unsure",
        "in-doubt",
        "refused",
        "stale",
        "relabelling",
        "deleting",
        "not-saved",
        "history",
        "history-gallery",
        "history-filtered",
        "prediction",
        "film",
        "own-word-changed",
        "own-deletion",
        "hidden-by-operator",
        "compared",
        "inside",
        "inside-vit",
        "insights",
        "challenge",
        "challenge-running",
        "challenge-over",
        "challenge-unsent",
        "challenge-results",
        "challenge-rounds",
        "insights-of-challenges",
        "networks",
        "network",
        "api",
        "page-broken",
    ],
)
def test_nothing_sticks_out_sideways_or_lies_on_a_control(page: Page, stage: Stage, state: str) -> None:
    STATES[state](page, stage)
    faults = {}
    for width, height in WINDOW_SIZES:
        page.set_viewport_size({"width": width, "height": height})
        faults[width, height] = overflows(page) + covered(page)
    assert not any(faults.values()), {size: found for size, found in faults.items() if found}


@in_every_font
@pytest.mark.parametrize("state", ["unsure", "in-doubt", "compared"])
def test_slate_and_answer_are_in_sight_together(page: Page, stage: Stage, state: str) -> None:
    STATES[state](page, stage)
    for width, height in (size for size in WINDOW_SIZES if size != TOO_LOW):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        for part in ("#slate", "#predict", ".verdict"):
            expect(page.locator(part)).to_be_in_viewport(ratio=1)


@in_every_font
def test_slate_and_prompt_are_in_sight_together(page: Page, stage: Stage) -> None:
    STATES["challenge-running"](page, stage)
    for width, height in (size for size in WINDOW_SIZES if size != TOO_LOW):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        for part in ("#slate", ".prompt", "[data-clock-time]", "[data-do=accept]"):
            expect(page.locator(part)).to_be_in_viewport(ratio=1)


@in_every_font
@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_nothing_moves_when_the_answer_comes(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options)
    page.goto("/")
    parts = ["#slate", "#predict", ".bars", ".feedback", "#own"]

    def tops() -> list[float]:
        return [
            page.evaluate("s => document.querySelector(s).getBoundingClientRect().top + scrollY", part)
            for part in parts
        ]

    before = tops()
    predicted(page, 4)
    assert tops() == pytest.approx(before, abs=1)
    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    assert tops() == pytest.approx(before, abs=1)


@in_every_font
@pytest.mark.parametrize("state", ["unsure", "in-doubt", "refused", "not-saved"])
def test_no_kind_of_answer_moves_what_stands_below_it(new_page: NewPage, stage: Stage, state: str) -> None:
    page = new_page(**SMALL_PHONE)

    def tops() -> list[float]:
        found = []
        for width, height in WINDOW_SIZES:
            page.set_viewport_size({"width": width, "height": height})
            found.append(
                page.evaluate("document.querySelector('#own').getBoundingClientRect().top + scrollY")
            )
        return found

    page.goto("/")
    before = tops()
    STATES[state](page, stage)
    assert tops() == pytest.approx(before, abs=1)


@in_every_font
def test_cells_keep_to_themselves_on_a_narrow_phone(new_page: NewPage, stage: Stage) -> None:
    page = new_page(**SMALL_PHONE)
    STATES["answered"](page, stage)
    too_full = "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText)"
    for path in ("/", "/history"):
        page.goto(path)
        expect(page.locator("[data-mark='wrong']").first).to_be_visible()
        assert page.locator(".predictions td").evaluate_all(too_full) == []


@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_pages_load_without_shifting(new_page: NewPage, options: dict[str, object]) -> None:
    page = new_page(**options)
    page.add_init_script(SHIFTS)
    page.goto("/")
    predicted(page, 4)
    for path in (page.url, "/history"):
        page.goto(path, wait_until="networkidle")
        assert sum(page.evaluate("shifts")) < 0.01


def test_the_page_asks_nothing_of_another_host(page: Page, base_url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    predicted(page, 4)
    page.goto("/history")
    assert asked
    assert [url for url in asked if not url.startswith((base_url, "data:", "blob:"))] == []


@pytest.mark.parametrize(
    "state",
    [
        "answered",
        "film",
        "history-gallery",
        "compared",
        "inside",
        "insights",
        "challenge-running",
        "challenge-results",
        "network",
        "api",
    ],
)
def test_everything_is_large_enough_to_be_hit(page: Page, stage: Stage, state: str) -> None:
    STATES[state](page, stage)
    faults = {}
    for width, height in [(320, 568), (390, 844), (1280, 800)]:
        page.set_viewport_size({"width": width, "height": height})
        faults[width] = small_targets(page)
    assert not any(faults.values()), faults


@pytest.fixture
def large_text(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], base_url: str
) -> Iterator[Page]:
    """A phone whose owner has set twice the size of text."""
    options = ["--blink-settings=defaultFontSize=32,defaultFixedFontSize=26"]
    arguments = [*browser_type_launch_args["args"], *options]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    yield browser.new_page(base_url=base_url, viewport=PHONE["viewport"])
    browser.close()


@pytest.mark.parametrize(
    "state",
    [
        "answered",
        "in-doubt",
        "film",
        "history",
        "history-filtered",
        "inside",
        "challenge-over",
        "challenge-results",
        "page-broken",
    ],
)
def test_text_of_twice_the_size_fits_on_a_phone(large_text: Page, stage: Stage, state: str) -> None:
    STATES[state](large_text, stage)
    assert overflows(large_text) + covered(large_text) == []


def test_print_has_no_controls_and_cuts_no_code(page: Page) -> None:
    page.goto("/api/v1/docs")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    code = page.get_by_label("Example with curl")
    expect(code).to_be_visible()
    assert code.evaluate("part => part.scrollWidth - part.clientWidth") == 0
    page.goto("/challenge/nowhere")
    expect(page.get_by_role("link", name="Back to the slate")).to_be_hidden()


def test_meanings_are_seen_in_forced_colours(page: Page, stage: Stage) -> None:
    page.emulate_media(forced_colors="active")
    STATES["inside"](page, stage)
    expect(page.locator(".step-picture:has(.sheet)").first).to_have_css("background-color", SLATE)
    STATES["corrected"](page, stage)
    expect(page.locator("[data-said-by-person] .bar-name")).to_have_css("outline-style", "solid")
    expect(page.get_by_role("button", name="No", exact=True)).to_have_css("border-top-width", "3px")
    expect(page.get_by_role("button", name="Yes", exact=True)).to_have_css("border-top-width", "1px")


def test_the_clock_is_seen_in_forced_colours(page: Page, stage: Stage) -> None:
    STATES["challenge-running"](page, stage)
    page.emulate_media(forced_colors="active")
    colour = "part => getComputedStyle(part).backgroundColor"
    bar = page.locator("[data-clock-bar]").evaluate(colour)
    assert bar != page.locator("html").evaluate(colour)
