"""PUBLISH=1: the animation in the README, made anew: a digit is drawn, guessed, read and judged."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser.devices import NewPage
from tests.support.browser.hand import answer, places, press, until
from tests.support.drawings import STROKES

DOCS = Path(__file__).parents[2] / "docs"
FLIGHT = "document.getAnimations().filter(each => each.effect.target.matches('.flight'))"
WINDOW = {"width": 960, "height": 690}
MOST = 600_000  # bytes


class Film:
    """Pictures of a page, each with the milliseconds for which it is shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def take(self, duration: int) -> None:
        self.frames.append(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))
        self.durations.append(duration)

    def save(self, path: Path) -> None:
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.durations, loop=0, quality=82, method=4
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_animation_in_the_readme(new_page: NewPage, scheme: str) -> None:
    page = new_page(viewport=WINDOW, color_scheme=scheme)
    page.goto("/")
    film = Film(page)
    film.take(700)

    first, *rest = places(page, STROKES[3][0])
    page.mouse.move(*first)
    page.mouse.down()
    for number, place in enumerate(rest, start=1):
        page.mouse.move(*place)
        if number % 4 == 0:
            page.wait_for_timeout(200)  # for the guess, which takes its time
            film.take(80)
    page.mouse.up()
    until(page, "document.querySelector('[data-guess]').textContent.includes('3')")
    film.take(700)

    # The flight into the 28x28 pixels is stopped as it starts, and led from picture to picture.
    slow = page.context.new_cdp_session(page)
    slow.send("Animation.enable")
    slow.send("Animation.setPlaybackRate", {"playbackRate": 0.01})
    press(page, "Predict")
    until(page, f"{FLIGHT}.length === 1")
    for time in range(0, 700, 50):
        page.evaluate(f"for (const each of {FLIGHT}) {{ each.pause(); each.currentTime = {time}; }}")
        page.wait_for_timeout(50)
        film.take(50)
    page.evaluate(f"for (const each of {FLIGHT}) each.finish()")
    slow.send("Animation.setPlaybackRate", {"playbackRate": 1})
    expect(answer(page)).to_have_attribute("data-prediction", "3")
    page.wait_for_selector(".flight", state="detached")
    film.take(1500)

    press(page, "Yes")
    expect(page.locator("[data-said]")).to_be_visible()
    page.wait_for_timeout(300)
    film.take(2500)

    path = DOCS / f"drawing-{scheme}.webp"
    film.save(path)
    assert path.stat().st_size < MOST
