"""Accessibility of a page, checked by axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, in a line each."""
    # Colours are judged as they are in the end, not on their way.
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finish()))")
    return [
        f"{found['id']}: {node['html']} {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]


CONTRAST = """(part) => {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const over = (colour, opacity = 1) => {
        pen.globalAlpha = opacity;
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((value) => {
            const share = value / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const { color, opacity } = getComputedStyle(part);
    const ground = over(getComputedStyle(document.documentElement).backgroundColor);
    const ink = over(color, Number(opacity));
    return Math.max(ground, ink) / Math.min(ground, ink);
}"""


def contrast(part: Locator) -> float:
    """Return the contrast of text, its own opacity included, with the page's background: 1 to 21."""
    found: float = part.evaluate(CONTRAST)
    return found
