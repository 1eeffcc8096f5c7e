"""The devices on which pages are opened, and how Chromium is started."""

import os
import shutil
from typing import Any, Protocol

from playwright.sync_api import Page

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, (os.environ.get("PLAYWRIGHT_CHROMIUM", ""), "chromium-headless-shell", "chromium")),
    ),
    None,
)
"""The path of Chromium: the one that PLAYWRIGHT_CHROMIUM names, or the system's; None if there is none.

The headless shell has no windows of its own to draw, so the tests take a third less time with it.
"""
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
SMALL_PHONE: dict[str, Any] = {**PHONE, "viewport": {"width": 320, "height": 568}}
PROJECTOR: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}}
DEVICES = {"desktop": DESKTOP, "phone": PHONE}
UPRIGHT = [(320, 568), (360, 640), (390, 844), (768, 1024), (820, 1180)]
# Phones on their side, and laptops whose pages are zoomed to 200 %.
LOW = [(640, 360), (667, 375), (683, 384), (740, 360), (844, 390)]
TOO_LOW = (568, 320)
"""The smallest window on its side: slate and answer do not fit into it together."""
WIDE = [(1024, 600), (1280, 800), (1920, 1080)]
WINDOW_SIZES = [*UPRIGHT, TOO_LOW, *LOW, *WIDE]


class NewPage(Protocol):
    """Opens a page in a context of its own."""

    def __call__(self, **options: Any) -> Page: ...
