"""Sizes of text, as the browser shows it."""

from playwright.sync_api import Page

SMALLEST = """(selector) => {
    const sizes = [];
    for (const root of document.querySelectorAll(selector)) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const part = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim()) continue;
            if (!part.checkVisibility({ visibilityProperty: true })) continue;
            if (part.closest(".visually-hidden, .skip, script, title")) continue;
            const matrix = part.closest("svg") ? part.getScreenCTM() : { a: 1, b: 0 };
            sizes.push(parseFloat(getComputedStyle(part).fontSize) * Math.hypot(matrix.a, matrix.b));
        }
    }
    return Math.min(...sizes);
}"""


def smallest_text(page: Page, selector: str) -> float:
    """Return the size in pixels of the smallest visible text in the parts of a page."""
    size: float = page.evaluate(SMALLEST, selector)
    return size
