import base64
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from mnistweb.recognition.rasteriser import Stroke, rasterise
from tests.support.browser.devices import NewPage
from tests.support.browser.hand import (
    answer,
    draw,
    draw_with_finger,
    emulated_touch,
    ink_on_slate,
    kept_strokes,
    places,
    predict,
    press,
    stroke,
    touch_stroke,
)
from tests.support.browser.transfer import give, picture
from tests.support.drawings import STROKES, Points

LINE: Points = [(60.0, 60.0), (60.0, 200.0)]
CROSS: Points = [(40.0, 140.0), (240.0, 140.0)]


def grey(file: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(file)).convert("L")) / 255


def test_the_mouse_leaves_ink(page: Page) -> None:
    stroke(page, LINE)
    assert ink_on_slate(page) > 1000
    (kept,) = kept_strokes(page)
    assert kept["width"] == 20
    assert np.allclose(kept["points"], LINE, atol=0.5)


def test_a_click_leaves_a_dot(page: Page) -> None:
    stroke(page, [(140.0, 140.0)])
    assert len(kept_strokes(page)[0]["points"]) == 1
    assert ink_on_slate(page) > 100


def test_only_the_first_mouse_button_draws(page: Page) -> None:
    ((x, y),) = places(page, [(140.0, 140.0)])
    page.mouse.click(x, y, button="right")
    assert kept_strokes(page) == []


def test_a_stroke_goes_on_outside_the_slate_and_comes_back(page: Page) -> None:
    stroke(page, [(200.0, 140.0), (340.0, 140.0), (200.0, 200.0)])
    (kept,) = kept_strokes(page)
    assert max(x for x, _ in kept["points"]) > 280


def test_a_finger_draws_and_the_page_does_not_scroll(phone: Page) -> None:
    touch_stroke(phone, [(140.0, 30.0), (140.0, 120.0), (140.0, 250.0)])
    assert len(kept_strokes(phone)) == 1
    assert phone.evaluate("scrollY") == 0


def test_a_tap_counts_after_a_quick_stroke(phone: Page) -> None:
    draw_with_finger(phone, 9)
    phone.get_by_role("button", name="Predict").tap()
    expect(answer(phone)).to_be_visible()


def test_a_second_finger_is_ignored(phone: Page) -> None:
    first, further, palm = places(phone, [*LINE, (200.0, 200.0)])
    with emulated_touch(phone) as touch:
        touch("touchStart", [first])
        touch("touchStart", [first, palm])
        touch("touchMove", [further, palm])
        touch("touchEnd", [])
    (kept,) = kept_strokes(phone)
    assert np.allclose(kept["points"], LINE, atol=0.5)


def pen(page: Page, *events: tuple[str, dict[str, Any]]) -> None:
    page.evaluate(
        """events => {
            const slate = document.querySelector("#slate");
            const box = slate.getBoundingClientRect();
            slate.setPointerCapture = () => {};
            for (const [type, { x, y, ...more }] of events)
                slate.dispatchEvent(new PointerEvent(type, {
                    clientX: box.left + x / 280 * box.width, clientY: box.top + y / 280 * box.height,
                    pointerType: "pen", pointerId: 7, bubbles: true, ...more,
                }));
        }""",
        events,
    )


def test_a_pen_pressed_harder_draws_wider(page: Page) -> None:
    pen(
        page,
        ("pointerdown", {"x": 40, "y": 40, "pressure": 0.1}),
        ("pointermove", {"x": 40, "y": 140, "pressure": 0.1}),
        ("pointermove", {"x": 40, "y": 240, "pressure": 1}),
        ("pointerup", {"x": 40, "y": 240}),
    )
    (kept,) = kept_strokes(page)
    assert kept["points"] == [[40, 40, 0.1], [40, 140, 0.1], [40, 240, 1]]


def test_a_pen_takes_over_from_the_palm(page: Page) -> None:
    palm = {"x": 200, "y": 200, "pointerType": "touch", "pointerId": 3}
    pen(
        page,
        ("pointerdown", palm),
        ("pointermove", {**palm, "x": 260}),
        ("pointerdown", {"x": 40, "y": 40, "pressure": 0.5}),
        ("pointermove", {**palm, "x": 10}),
        ("pointermove", {"x": 40, "y": 140, "pressure": 0.5}),
        ("pointerup", palm),
        ("pointerup", {"x": 40, "y": 140}),
        ("pointerdown", palm),
        ("pointerup", palm),
    )
    (kept,) = kept_strokes(page)
    assert kept["points"] == [[40, 40, 0.5], [40, 140, 0.5]]


def test_a_stroke_that_the_system_takes_away_is_forgotten(page: Page) -> None:
    pen(
        page,
        ("pointerdown", {"x": 40, "y": 40, "pressure": 0.5}),
        ("pointermove", {"x": 40, "y": 140, "pressure": 0.5}),
        ("pointercancel", {"x": 40, "y": 140}),
    )
    assert kept_strokes(page) == []
    assert ink_on_slate(page) == 0


def test_the_brush_has_three_widths(page: Page) -> None:
    inks = []
    for name in ("Thin", "Medium", "Thick"):
        page.get_by_role("radio", name=name).check(force=True)
        stroke(page, LINE)
        inks.append(ink_on_slate(page))
        press(page, "Clear")
    assert inks == sorted(set(inks))


def test_undo_and_redo_by_button_and_by_key(page: Page) -> None:
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_hidden()
    stroke(page, LINE)
    one = ink_on_slate(page)
    stroke(page, CROSS)
    two = ink_on_slate(page)
    undo.click()
    assert ink_on_slate(page) == one
    redo.click()
    assert ink_on_slate(page) == two
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert ink_on_slate(page) == 0
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert ink_on_slate(page) == two
    expect(redo).to_be_hidden()


@pytest.mark.parametrize("how", ["button", "key"])
def test_clearing_wipes_the_slate_and_can_be_undone(page: Page, how: str) -> None:
    stroke(page, LINE)
    before = ink_on_slate(page)
    if how == "button":
        press(page, "Clear")
    else:
        page.keyboard.press("Escape")
    assert ink_on_slate(page) == 0
    press(page, "Undo")
    assert ink_on_slate(page) == before


def test_clearing_wipes_the_first_stroke_while_the_mouse_draws_it(page: Page) -> None:
    first, further, last = places(page, [*LINE, CROSS[0]])
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*further)
    page.keyboard.press("Escape")
    assert ink_on_slate(page) == 0
    page.mouse.move(*last)
    page.mouse.up()
    assert ink_on_slate(page) == 0
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    stroke(page, LINE)
    assert len(kept_strokes(page)) == 1


def test_clearing_lifts_the_keyboards_pen(page: Page) -> None:
    page.locator("#slate").focus()
    for key in ("Space", "ArrowRight", "Escape", "ArrowDown"):
        page.keyboard.press(key)
    assert kept_strokes(page) == []
    expect(page.locator("[data-guess]")).to_be_empty()
    for key in ("Space", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert kept_strokes(page)[0]["points"] == [[154, 154], [154, 168]]


def test_a_picture_pasted_during_a_stroke_replaces_it(page: Page) -> None:
    first, further, last = places(page, [*LINE, CROSS[0]])
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*further)
    give(page, "paste", picture(7, "PNG"))
    expect(answer(page)).to_have_attribute("data-prediction", "7")
    page.mouse.move(*last)
    page.mouse.up()
    expect(page.locator("#answer:not([data-stale])")).to_have_count(1)
    assert kept_strokes(page) == []


def test_a_reload_loses_no_stroke(page: Page) -> None:
    draw(page, 4)
    before = ink_on_slate(page)
    page.reload()
    expect(page.locator("[data-drawn]")).to_be_visible()
    assert ink_on_slate(page) == before


def test_turning_the_phone_loses_no_stroke(phone: Page) -> None:
    stroke(phone, LINE)
    share = ink_on_slate(phone) / phone.evaluate("document.querySelector('#slate').width ** 2")
    phone.set_viewport_size({"width": 844, "height": 390})
    side = phone.evaluate("document.querySelector('#slate').clientWidth")
    expect(phone.locator("#slate")).to_have_js_property("width", 3 * side)
    assert ink_on_slate(phone) / (3 * side) ** 2 == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize("density", [1, 1.5, 3])
def test_the_slate_has_a_pixel_for_every_pixel_of_the_screen(new_page: NewPage, density: float) -> None:
    page = new_page(viewport={"width": 700, "height": 800}, device_scale_factor=density)
    page.goto("/")
    stroke(page, LINE)
    width, shown = page.evaluate("(s => [s.width, s.clientWidth])(document.querySelector('#slate'))")
    assert width == round(shown * density)


def test_drawing_with_the_keyboard_alone(page: Page) -> None:
    page.locator("#slate").focus()
    for key in ["ArrowUp"] * 5 + ["Space"] + ["ArrowDown"] * 10 + ["Space", "ArrowRight", "ArrowRight"]:
        page.keyboard.press(key)
    (kept,) = kept_strokes(page)
    assert kept["points"][0] == [140, 70]
    assert kept["points"][-1] == [140, 210]
    expect(page.locator("#announcement")).to_have_text("Pen up")


def test_lifting_the_focus_lifts_the_keyboards_pen(page: Page) -> None:
    page.locator("#slate").focus()
    for key in ("Space", "Shift+ArrowRight", "Tab"):
        page.keyboard.press(key)
    assert kept_strokes(page)[0]["points"] == [[140, 140], [144, 140]]


def test_what_is_sent_is_what_the_rasteriser_draws(page: Page) -> None:
    for lines in STROKES.values():
        strokes = [{"width": 20, "points": points} for points in lines]
        url = page.evaluate(
            "async strokes => (await import('/static/js/slate/render.js')).toDataURL(strokes)", strokes
        )
        sent = grey(base64.b64decode(url.removeprefix("data:image/png;base64,")))
        assert sent.shape == (280, 280)
        expected = rasterise([Stroke(np.asarray(points), 20) for points in lines])
        assert np.abs(sent - expected).mean() < 0.002


def test_the_picture_and_the_strokes_are_stored_as_drawn(phone: Page) -> None:
    # Three screen pixels for each CSS pixel: what is sent does not depend on the screen.
    draw(phone, 5)
    kept = kept_strokes(phone)
    prediction_id = predict(phone)
    response = phone.request.get(f"/predictions/{prediction_id}/drawing.png")
    expected = rasterise([Stroke(np.asarray(each["points"]), each["width"]) for each in kept])
    assert np.abs(grey(response.body()) - expected).mean() < 0.002
