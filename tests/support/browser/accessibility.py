"""Accessibility of a page, checked by axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, in a line each."""
    # Colours are judged as they are in the end, not on their way.
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finish()))")
    return [
        f"{found['id']}: {node['html']} {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]
