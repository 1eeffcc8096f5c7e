"""A person on the page: draws, predicts, looks at the answer."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.drawings import STROKES, Points

SIDE = 280
UNDO_TIME = 9000
"""Milliseconds after which a deletion can't be undone any more."""
BOX = """() => {
    scrollTo(0, 0);
    const { left, top, width, height } = document.getElementById("slate").getBoundingClientRect();
    return [left, top, width, height];
}"""


def places(page: Page, points: Points) -> list[tuple[float, float]]:
    """Points of the slate as places in the window."""
    # Not by a locator, for which the driver would listen to every move from then on.
    left, top, width, height = page.evaluate(BOX)
    return [(left + x / SIDE * width, top + y / SIDE * height) for x, y in points]


@contextmanager
def emulated_touch(page: Page) -> Iterator[Callable[[str, list[tuple[float, float]]], None]]:
    """Sends touch events with any number of fingers, as the browser's own debugger can."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, fingers: list[tuple[float, float]]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    yield send
    session.detach()


def stroke(page: Page, points: Points) -> None:
    """One stroke with the mouse."""
    first, *rest = places(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place)
    page.mouse.up()


def touch_stroke(page: Page, points: Points) -> None:
    """One stroke with a finger."""
    first, *rest = places(page, points)
    with emulated_touch(page) as touch:
        touch("touchStart", [first])
        for place in rest:
            touch("touchMove", [place])
        touch("touchEnd", [])


def quick(points: Points) -> Points:
    """The same line by fewer points: each costs the browser a picture of the whole page."""
    kept = points[:1]
    for point in points[1:-1]:
        if math.dist(point, kept[-1]) > 15:  # less than the brush is wide
            kept.append(point)
    return [*kept, points[-1]]


def draw(page: Page, digit: int) -> None:
    """A digit with the mouse."""
    for points in STROKES[digit]:
        stroke(page, quick(points))


def draw_with_finger(page: Page, digit: int) -> None:
    """A digit with a finger."""
    for points in STROKES[digit]:
        touch_stroke(page, quick(points))


def press(page: Page, name: str) -> None:
    """Press the button of that name."""
    page.get_by_role("button", name=name, exact=True).click()


def judge(page: Page, label: str) -> None:
    """Say under the answer that it was right ("Yes"), or what it was: a digit, or "Not a digit"."""
    if label != "Yes":
        press(page, "No")
    press(page, label)


def answer(page: Page) -> Locator:
    """The answer, once there is one."""
    return page.locator("[data-prediction]")


def row(page: Page, prediction_id: str) -> Locator:
    """The row of a prediction in the table of the visitor's drawings."""
    return page.locator(f"[data-prediction-row='{prediction_id}']")


def delete(page: Page, prediction_id: str) -> None:
    """Press the button that deletes a drawing in its row."""
    row(page, prediction_id).get_by_role("button", name="Delete this drawing").click()


def predict(page: Page) -> str:
    """Press Predict and wait for the answer to what is drawn; the id of the prediction."""
    before = answer(page).get_attribute("data-prediction-id") if answer(page).count() else None
    press(page, "Predict")
    new = page.locator(f"[data-prediction]:not([data-prediction-id='{before}'])")
    return new.get_attribute("data-prediction-id") or ""


def predicted(page: Page, digit: int) -> str:
    """Draw a digit, press Predict, and see that it was read; the id of the prediction."""
    draw(page, digit)
    prediction_id = predict(page)
    expect(answer(page)).to_have_attribute("data-prediction", str(digit))
    return prediction_id


def asked_for(page: Page) -> int:
    """The digit that a challenge asks for now."""
    return int(page.locator("[data-prompt]").inner_text())


def until(page: Page, condition: str) -> None:
    """Wait until the JavaScript expression is true.

    The page's policy forbids the evaluation of texts, which Playwright's own wait does again and again.
    """
    page.evaluate(
        f"""async () => {{
            const last = performance.now() + 5000;
            while (!({condition})) {{
                if (performance.now() > last) throw new Error("still not so after five seconds");
                await new Promise((then) => setTimeout(then, 5));
            }}
        }}"""
    )


def kept_strokes(page: Page) -> list[dict[str, Any]]:
    """The strokes that the page keeps."""
    kept: dict[str, Any] = json.loads(page.evaluate("sessionStorage.getItem('drawing')") or '{"strokes": []}')
    strokes: list[dict[str, Any]] = kept["strokes"]
    return strokes


def ink_on_slate(page: Page) -> int:
    """Count the pixels of the slate that carry ink."""
    count: int = page.evaluate(
        """() => {
            const slate = document.querySelector("#slate");
            const { data } = slate.getContext("2d").getImageData(0, 0, slate.width, slate.height);
            let inked = 0;
            for (let i = 3; i < data.length; i += 4) inked += data[i] > 127;
            return inked;
        }"""
    )
    return count
