"""Pictures from elsewhere: all that the browser shows are read, and anything else is refused in words."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, features
from playwright.sync_api import Page, expect

from mnistweb.predictions import service
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.types import Ink
from tests.support.browser.devices import DESKTOP, NewPage
from tests.support.browser.hand import answer, ink_on_slate, kept_strokes, predicted, press
from tests.support.browser.transfer import Given, give, picture
from tests.support.drawings import STROKES, digit_png, draw_digit, encode
from tests.support.fuzz.pieces import png

TURNED_RIGHT = 6
"""The Exif orientation of a picture to show turned by 90 degrees clockwise."""
ORIENTATION = 0x0112


def svg(digit: int, attributes: str, extra: str = "") -> Given:
    lines = "".join(
        f'<polyline points="{" ".join(f"{x:.0f},{y:.0f}" for x, y in points)}"/>' for points in STROKES[digit]
    )
    style = 'fill="none" stroke="black" stroke-width="20" stroke-linecap="round"'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{extra}<g {style}>{lines}</g></svg>'
    return "digit.svg", "image/svg+xml", text.encode()


def animated(digit: int, kind: str) -> Given:
    return picture(digit, kind, save_all=True, append_images=[draw_digit(1)], duration=50)


def turned(digit: int) -> Given:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    sideways = draw_digit(digit).transpose(Image.Transpose.ROTATE_90)
    return "photo.jpg", "image/jpeg", encode(sideways, "JPEG", exif=exif, quality=95)


def transparent(digit: int) -> Given:
    ink = draw_digit(digit)
    return "digit.png", "image/png", encode(Image.merge("LA", (Image.new("L", ink.size), ink)))


SHOWN: dict[str, Callable[[int], Given]] = {
    "PNG": lambda digit: picture(digit, "PNG"),
    "JPEG": lambda digit: picture(digit, "JPEG"),
    "WebP": lambda digit: picture(digit, "WEBP"),
    "GIF": lambda digit: picture(digit, "GIF"),
    "animated GIF": lambda digit: animated(digit, "GIF"),
    "animated PNG": lambda digit: animated(digit, "PNG"),
    "animated WebP": lambda digit: animated(digit, "WEBP"),
    "BMP": lambda digit: picture(digit, "BMP"),
    "icon": lambda digit: picture(digit, "ICO"),
    "turned JPEG": turned,
    "transparent PNG": transparent,
    "no media type": lambda digit: ("digit", "", digit_png(digit)),
    "SVG with a size": lambda digit: svg(digit, 'width="28" height="28" viewBox="0 0 280 280"'),
    "SVG without a size": lambda digit: svg(digit, 'viewBox="0 0 280 280"'),
    "huge SVG": lambda digit: svg(digit, 'width="90000" height="90000" viewBox="0 0 280 280"'),
}
if features.check("avif"):
    SHOWN["AVIF"] = lambda digit: picture(digit, "AVIF")


@pytest.mark.parametrize("kind", SHOWN)
def test_every_picture_that_the_browser_shows_is_read(page: Page, kind: str) -> None:
    give(page, "choose" if kind in ("PNG", "turned JPEG") else "drop", SHOWN[kind](5))
    expect(answer(page)).to_have_attribute("data-prediction", "5")
    assert ink_on_slate(page) > 1000
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The picture files that the site has read."""
    files: list[bytes] = []

    def read(data: bytes, max_pixels: int) -> Ink:
        files.append(data)
        return read_drawing(data, max_pixels)

    monkeypatch.setattr(service, "read_drawing", read)
    return files


def test_only_pixels_are_sent(page: Page, received: list[bytes]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    exif[0x010F] = "a camera's maker"
    photo = draw_digit(4).resize((3000, 2000)).transpose(Image.Transpose.ROTATE_90)
    give(page, "choose", ("photo.jpg", "image/jpeg", encode(photo, "JPEG", exif=exif)))
    expect(answer(page)).to_have_count(1)
    (data,) = received
    assert b"camera" not in data
    opened = Image.open(io.BytesIO(data))
    assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (1024, 683), {})


def test_transparency_is_sent(page: Page, received: list[bytes]) -> None:
    give(page, "drop", transparent(4))
    expect(answer(page)).to_have_attribute("data-prediction", "4")
    opened = Image.open(io.BytesIO(received[0]))
    assert (opened.format, opened.mode) == ("PNG", "RGBA")
    assert np.array_equal(np.asarray(opened)[..., 3], np.asarray(draw_digit(4)))


def test_an_svg_is_a_picture_and_no_document(page: Page, base_url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    extra = (
        f'<script>alert("elsewhere"); fetch("{base_url}/elsewhere")</script>'
        f'<image href="{base_url}/elsewhere.png" width="9" height="9"/>'
        f'<style>@import "{base_url}/elsewhere.css";</style>'
        '<rect width="9" height="9" fill="none" onload="alert(\'elsewhere\')"/>'
    )
    give(page, "drop", svg(5, 'viewBox="0 0 280 280"', extra))
    expect(answer(page)).to_have_attribute("data-prediction", "5")
    assert [said for said in asked if "elsewhere" in said] == []


def test_an_svg_with_a_page_in_it_is_not_passed_over_in_silence(page: Page) -> None:
    inner = (
        '<foreignObject width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">3</p></foreignObject>'
    )
    give(page, "drop", svg(5, 'viewBox="0 0 280 280"', inner))
    expect(answer(page).or_(page.get_by_role("alert"))).to_have_count(1)


def test_without_a_connection_a_picture_is_refused_in_words(page: Page) -> None:
    page.context.set_offline(True)
    give(page, "drop", picture(5, "PNG"))
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    page.context.set_offline(False)
    give(page, "drop", picture(5, "PNG"))
    expect(answer(page)).to_have_attribute("data-prediction", "5")


REFUSED: dict[str, tuple[Given, str]] = {
    "text": (("notes.txt", "text/plain", b"a three"), "Can’t read this file"),
    "text called a picture": (("three.png", "image/png", b"a three"), "Can’t read this file"),
    "text without a media type": (("three", "", b"a three"), "Can’t read this file"),
    "PDF": (("three.pdf", "application/pdf", b"%PDF-1.7\n"), "Can’t read this file"),
    "ZIP": (("three.zip", "application/zip", b"PK\3\4"), "Can’t read this file"),
    "broken SVG": (("three.svg", "image/svg+xml", b"<svg"), "Can’t read this file"),
    "HEIC": (("three.heic", "", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "Can’t read this file"),
    "nothing": (("three.png", "image/png", b""), "This file is empty"),
    "400 million pixels": (
        ("map.png", "image/png", png(20_000, 20_000, 1, 0, bytes(2501 * 20_000), level=1)),
        "20000 × 20000 pixels",
    ),
}


DROPPED = ("text", "text without a media type", "HEIC", "nothing")


def assert_refused(page: Page, sentence: str, digit: int, strokes: int) -> None:
    """Check that the page says so, and that slate, answer and log are as before."""
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(answer(page)).to_have_attribute("data-prediction", str(digit))
    expect(page.locator("[data-prediction-row]")).to_have_count(1)
    assert len(kept_strokes(page)) == strokes
    assert ink_on_slate(page) > 1000


@pytest.mark.parametrize(
    ("kind", "way"),
    [*((kind, "choose") for kind in REFUSED), *((kind, "drop") for kind in DROPPED), ("text", "paste")],
)
def test_any_other_file_is_refused_in_words(page: Page, kind: str, way: str) -> None:
    predicted(page, 7)
    file, sentence = REFUSED[kind]
    give(page, way, file)
    assert_refused(page, sentence, 7, 1)


@pytest.mark.parametrize("size", [(1, 1), (900, 700)])
def test_a_picture_without_ink_is_said_to_be_empty(page: Page, size: tuple[int, int]) -> None:
    give(page, "choose", ("white.png", "image/png", encode(Image.new("L", size, 255))))
    expect(page.get_by_role("alert")).to_contain_text("This picture looks empty")
    expect(answer(page)).to_have_count(0)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_several_pictures_are_one_too_many(page: Page, way: str) -> None:
    predicted(page, 7)
    give(page, way, picture(3, "PNG"), picture(4, "PNG"))
    assert_refused(page, "One picture at a time", 7, 1)


@pytest.mark.parametrize("way", ["drop", "paste"])
@pytest.mark.parametrize("kind", ["text/plain", "text/uri-list", "text/html"])
def test_text_and_links_are_no_pictures(page: Page, way: str, kind: str) -> None:
    predicted(page, 7)
    give(page, way, texts={kind: "https://elsewhere.example/3.png"})
    assert_refused(page, "That’s not a picture", 7, 1)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_text_belongs_into_a_text_field_and_a_picture_to_the_slate(page: Page, way: str) -> None:
    predicted(page, 7)
    assert give(page, way, texts={"text/plain": "3"}, place="#correct-digit")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert not give(page, way, picture(3, "PNG"), place="#correct-digit")
    expect(answer(page)).to_have_attribute("data-prediction", "3")


def test_of_two_pictures_the_second_counts(page: Page) -> None:
    large = Image.fromarray(np.asarray(draw_digit(3).resize((6000, 6000))))
    give(page, "drop", ("large.png", "image/png", encode(large)))
    give(page, "drop", picture(5, "PNG"))
    expect(answer(page)).to_have_attribute("data-prediction", "5")
    page.wait_for_timeout(500)
    expect(page.locator("[data-prediction-row]")).to_have_count(1)


def test_a_refused_picture_can_be_followed_by_another(page: Page) -> None:
    give(page, "choose", REFUSED["text"][0])
    expect(page.get_by_role("alert")).to_be_visible()
    give(page, "choose", picture(5, "PNG"))
    expect(answer(page)).to_have_attribute("data-prediction", "5")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_slate_needs_no_file(page: Page) -> None:
    expect(page.get_by_label("Upload a picture")).not_to_have_attribute("required", "")


def test_without_javascript_the_form_comes_back_with_the_error(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False, **DESKTOP)
    page.goto("/")
    press(page, "Predict")
    expect(page).to_have_url(re.compile(r"/$"))  # the browser asks for a file
    name, kind, data = picture(3, "GIF")
    page.get_by_label("Upload a picture").set_input_files({"name": name, "mimeType": kind, "buffer": data})
    with page.expect_response("**/predictions") as answered:
        press(page, "Predict")
    assert answered.value.status == 415
    expect(page.get_by_role("alert")).to_contain_text("This is a GIF picture.")
    name, kind, data = picture(3, "PNG")
    page.get_by_label("Upload a picture").set_input_files({"name": name, "mimeType": kind, "buffer": data})
    press(page, "Predict")
    expect(answer(page)).to_have_attribute("data-prediction", "3")
