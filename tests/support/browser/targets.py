"""Sizes of links and controls, as a finger meets them."""

from playwright.sync_api import Page

from tests.support.browser.overflow import NAMES

SMALLEST = 24
"""Pixels that a target has in each direction: WCAG 2.2, 2.5.8."""
SMALL = f"""(smallest) => {{
    {NAMES}
    const ROUNDING = 0.5; // pixel
    const text = (part) => part.textContent.trim();
    const targets = "a[href], button, select, summary, input, [tabindex='0']";
    for (const part of document.querySelectorAll(targets)) {{
        if (!part.checkVisibility({{ visibilityProperty: true }})) continue;
        if (part.closest(".visually-hidden, .skip, [inert]")) continue;
        if (part.closest("svg")) continue; // a chart is as narrow as the window
        // A link in a sentence is as high as its line.
        const sentence = getComputedStyle(part).display === "inline" && part.closest("p, li, dd, td, h3");
        if (sentence && text(sentence) !== text(part)) continue;
        const boxes = [part, ...(part.labels ?? [])].map((each) => each.getBoundingClientRect());
        const largest = (side) => Math.max(...boxes.map((box) => box[side]));
        const least = Math.min(largest("width"), largest("height"));
        if (least < smallest - ROUNDING) found.push(`${{name(part)}}: ${{least}} px`);
    }}
    return found;
}}"""


def small_targets(page: Page) -> list[str]:
    """Links and controls that are hard to hit."""
    found: list[str] = page.evaluate(SMALL, SMALLEST)
    return found
