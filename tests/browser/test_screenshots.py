"""Pictures of every page and state, for people to look at: SCREENSHOTS=folder, README_SCREENSHOT=file."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewPage
from tests.browser.states import STATES, Stage

SMALL = {**PHONE, "viewport": {"width": 320, "height": 568}}
SIZES = {"desktop": DESKTOP, "phone": PHONE, "small": SMALL}


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder for them")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_every_state(new_page: NewPage, stage: Stage, state: str, size: str, scheme: str) -> None:
    page = new_page(**{**SIZES[size], "device_scale_factor": 2}, color_scheme=scheme)
    STATES[state](page, stage)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(
        path=Path(os.environ["SCREENSHOTS"]) / f"{state}-{size}-{scheme}.png", full_page=size != "desktop"
    )


@pytest.mark.skipif("README_SCREENSHOT" not in os.environ, reason="README_SCREENSHOT names no file for it")
def test_the_readme(new_page: NewPage, stage: Stage) -> None:
    page = new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
    STATES["answered"](page, stage)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(path=os.environ["README_SCREENSHOT"])
