"""The pages of the models, and large text on a projector."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.devices import DESKTOP, PHONE, PROJECTOR, WINDOW_SIZES, NewPage
from tests.support.browser.fonts import in_every_font
from tests.support.browser.overflow import overflows
from tests.support.browser.states import STATES, Stage
from tests.support.browser.text import smallest_text

MODELS = ["cnn", "lenet5", "vit"]
CHARTS = [
    "confusion-mnist_test",
    "confusion-drawings_test",
    "confusion-unipen_test",
    "reliability-mnist_test",
    "reliability-drawings_test",
    "reliability-unipen_test",
    "boundary-cost",
    "boundary-errors",
    "loss",
    "errors",
]


def opened(page: Page, model: str) -> None:
    """The page of a model with everything unfolded."""
    page.goto(f"/models/{model}")
    for summary in page.locator("summary").all():
        summary.click()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("options", [DESKTOP, PHONE])
def test_axe_finds_nothing_on_an_unfolded_page(
    new_page: NewPage, options: dict[str, object], model: str
) -> None:
    page = new_page(**options, color_scheme="light", reduced_motion="reduce")
    opened(page, model)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@in_every_font
@pytest.mark.parametrize("model", MODELS)
def test_an_unfolded_page_needs_no_sideways_scrolling(page: Page, model: str) -> None:
    opened(page, model)
    for width, height in WINDOW_SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert overflows(page) == []


@pytest.mark.parametrize("model", MODELS)
def test_every_chart_has_a_name_a_sentence_and_its_numbers(page: Page, model: str) -> None:
    opened(page, model)
    figures = page.get_by_role("figure")
    assert figures.evaluate_all("all => all.map(each => each.dataset.chart)") == CHARTS
    for figure in figures.all():
        name = figure.get_by_role("heading").inner_text()
        expect(figure).to_have_accessible_name(name)
        expect(figure.get_by_role("img")).not_to_have_attribute("aria-label", "")
        expect(figure.get_by_role("table", name=name)).to_be_visible()
        expect(figure.locator("figcaption p")).to_contain_text(".")


def test_contents_lead_to_their_sections(page: Page) -> None:
    page.goto("/models/cnn")
    for link in page.get_by_role("navigation", name="On this page").get_by_role("link").all():
        link.click()
        expect(page.get_by_role("heading", name=link.inner_text(), exact=True)).to_be_in_viewport()


def test_curves_stay_above_the_line_of_no_mistake(page: Page) -> None:
    page.goto("/models/cnn")
    figure = page.locator("[data-chart=errors]")
    zero = figure.locator(".grid").first.evaluate("line => line.getBoundingClientRect().y")
    squares = figure.locator(".chart .curve-square").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect()).map(box => box.y + box.height / 2)"
    )
    assert max(squares) < zero + 1
    expect(figure.locator("figcaption p")).to_contain_text("no mistake at all")


@pytest.mark.parametrize("path", ["/models", "/models/cnn"])
def test_labels_of_layers_are_large_enough_on_a_phone(phone: Page, path: str) -> None:
    phone.goto(path)
    assert smallest_text(phone, ".layers li") >= 12


def test_the_apis_page_is_short_on_a_phone(new_page: NewPage) -> None:
    page = new_page(**PHONE | {"viewport": {"width": 320, "height": 568}})
    page.goto("/api/v1/docs")
    assert page.evaluate("document.documentElement.scrollHeight") < 8_000
    page.get_by_role("link", name="Prediction", exact=True).first.click()
    expect(page.locator("#Prediction")).to_be_visible()
    expect(page.locator("#Prediction")).to_be_in_viewport()


@pytest.mark.parametrize(
    "state",
    [
        "waiting",
        "answered",
        "compared",
        "inside",
        "inside-vit",
        "history",
        "prediction",
        "insights",
        "networks",
        "network",
        "api",
    ],
)
def test_text_is_large_on_a_projector(new_page: NewPage, stage: Stage, state: str) -> None:
    page = new_page(**PROJECTOR)
    page.goto("/")
    STATES[state](page, stage)
    assert smallest_text(page, "body") >= 16
    main = page.locator("main").bounding_box()
    assert main
    assert main["width"] > 0.75 * 1920


@in_every_font
@pytest.mark.parametrize("state", ["answered", "unsure", "refused"])
def test_the_slate_page_fits_one_screen_of_a_projector(new_page: NewPage, stage: Stage, state: str) -> None:
    page = new_page(**PROJECTOR)
    page.goto("/")
    STATES[state](page, stage)
    page.evaluate("scrollTo(0, 0)")
    for part in (".masthead", "#slate", ".tools", "#predict", ".verdict", ".bars", ".feedback"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
