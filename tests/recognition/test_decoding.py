"""Decoding: every kind of picture that people send, and every kind of damage."""

import base64
import io
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mnistweb.recognition.decoding import decode_base64_image, read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import to_ink
from tests.support.compare import unlike
from tests.support.drawings import data_url, digit_png, draw_digit, encode

MAX_PIXELS = 1_000_000
PLAIN = draw_digit(5)
PLAIN_INK = np.asarray(PLAIN, np.float32) / 255


def coloured(pen: tuple[int, int, int], paper: tuple[int, int, int]) -> Image.Image:
    """Return the digit in one colour on another."""
    pixels = np.array(paper) + (np.array(pen) - np.array(paper)) * PLAIN_INK[..., None]
    return Image.fromarray(pixels.astype(np.uint8))


def transparent(level: int) -> Image.Image:
    """Return the digit in one grey on a transparent background."""
    pixels = np.full((280, 280, 4), level, np.uint8)
    pixels[..., 3] = PLAIN_INK * 255
    return Image.fromarray(pixels)


def sixteen_bit() -> Image.Image:
    """Return the digit with 16 bits for each pixel."""
    return Image.fromarray((PLAIN_INK * 65_535).astype(np.uint16))


def palette() -> Image.Image:
    """Return the digit with a palette and a transparent background."""
    picture = coloured((20, 30, 200), (255, 255, 255)).quantize(16)
    picture.info["transparency"] = picture.getpixel((0, 0))
    return picture


def rounded() -> Image.Image:
    """Return a dark slate with transparent corners."""
    pixels = np.dstack(
        [np.asarray(coloured((250, 250, 250), (40, 44, 52))), np.full((280, 280), 255, np.uint8)]
    )
    pixels[:12, :12, 3] = pixels[-12:, -12:, 3] = pixels[:12, -12:, 3] = 0
    return Image.fromarray(pixels)


KINDS: dict[str, Callable[[], bytes]] = {
    "light on dark": lambda: encode(PLAIN),
    "dark on light": lambda: encode(Image.fromarray(np.uint8(255 - PLAIN_INK * 255))),
    "grey on grey": lambda: encode(coloured((160, 160, 160), (110, 110, 110))),
    "yellow on white": lambda: encode(coloured((255, 230, 0), (255, 255, 255))),
    "red on green": lambda: encode(coloured((200, 40, 40), (40, 120, 40))),
    "one bit": lambda: encode(PLAIN.convert("1")),
    "sixteen bit": lambda: encode(sixteen_bit()),
    "palette": lambda: encode(palette()),
    "black on transparent": lambda: encode(transparent(0)),
    "white on transparent": lambda: encode(transparent(255)),
    "rounded corners": lambda: encode(rounded()),
    "JPEG": lambda: encode(PLAIN, "JPEG", quality=30),
    "grey JPEG of CMYK": lambda: encode(PLAIN.convert("CMYK"), "JPEG"),
    "WebP": lambda: encode(PLAIN, "WEBP", quality=40),
    "larger": lambda: encode(PLAIN.resize((1_400, 1_400), Image.Resampling.BICUBIC)),
    "blurred": lambda: encode(PLAIN.filter(ImageFilter.GaussianBlur(2))),
}


def distance_from_plain(picture: bytes) -> float:
    """Return the distance between the 28x28 images of the picture and of the plain digit."""
    return unlike(normalize(read_drawing(picture, 10_000_000)), normalize(to_ink(PLAIN_INK)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_gives_the_same_digit(kind: str) -> None:
    assert distance_from_plain(KINDS[kind]()) < 8


def test_ink_has_the_full_range() -> None:
    ink = read_drawing(digit_png(), MAX_PIXELS)
    assert ink.shape == (280, 280)
    assert ink.min() == 0
    assert ink.max() == 255


def noisy_photo() -> bytes:
    """Return dark ink under uneven light, with grain."""
    rng = np.random.default_rng(3)
    light = np.linspace(0.5, 0.95, 280) * np.linspace(1, 0.8, 280)[:, None]
    picture = light * (1 - 0.75 * PLAIN_INK) + rng.normal(0, 0.02, PLAIN_INK.shape)
    return encode(Image.fromarray(np.uint8(np.clip(picture, 0, 1) * 255)), "JPEG")


def test_uneven_light_of_a_photo_is_removed() -> None:
    assert distance_from_plain(noisy_photo()) < 9


def test_exif_orientation_is_applied() -> None:
    turned = PLAIN.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show it upright
    assert distance_from_plain(encode(turned, "JPEG", exif=exif, quality=95)) < 8


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_uniform_picture_has_no_ink(mode: str, colour: int) -> None:
    picture = Image.new(mode, (100, 100), (colour,) * len(mode) if len(mode) > 1 else colour)
    assert not read_drawing(encode(picture), MAX_PIXELS).any()


@pytest.mark.parametrize("make", [lambda: Image.new("RGBA", (50, 50)), lambda: Image.new("LA", (50, 50))])
def test_transparent_picture_has_no_ink(make: Callable[[], Image.Image]) -> None:
    assert not read_drawing(encode(make()), MAX_PIXELS).any()


def animated() -> bytes:
    """Return a PNG of two frames."""
    file = io.BytesIO()
    PLAIN.save(file, "PNG", save_all=True, append_images=[Image.new("L", PLAIN.size)])
    return file.getvalue()


BAD_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "missing_image"),
    "text": (lambda: b"this is no picture", "unsupported_media_type"),
    "a GIF": (lambda: encode(PLAIN, "GIF"), "unsupported_media_type"),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_media_type"),
    "a truncated PNG": (lambda: digit_png()[:-200], "unreadable_image"),
    "a truncated JPEG": (lambda: encode(PLAIN, "JPEG")[:-500], "unreadable_image"),
    "a truncated WebP": (lambda: encode(PLAIN, "WEBP")[:-100], "unreadable_image"),
    "only a PNG's head": (lambda: digit_png()[:40], "unreadable_image"),
    "too many pixels": (lambda: encode(Image.new("1", (1_001, 1_000))), "too_many_pixels"),
    "a bomb": (lambda: encode(Image.new("1", (20_000, 20_000))), "too_many_pixels"),
    "an animation": (animated, "animated_image"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_bad_bytes_raise_an_error_with_code(what: str) -> None:
    make, code = BAD_FILES[what]
    with pytest.raises(DrawingError) as caught:
        read_drawing(make(), MAX_PIXELS)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


def test_a_motion_photo_is_read() -> None:
    film = np.random.default_rng(4).bytes(2 * 1024**2)
    photo = encode(PLAIN.resize((4000, 3000)), "JPEG", quality=50)
    assert read_drawing(photo + film, 16_000_000).any()


def test_a_picture_with_too_many_pixels_is_told_what_helps() -> None:
    large, larger = Image.new("RGB", (4000, 3000), "white"), Image.new("RGB", (4100, 4000), "white")
    helps = {
        "a PNG": (encode(large), ", or use a JPEG."),
        "a progressive JPEG": (
            encode(large, "JPEG", progressive=True),
            ", or save it without progressive encoding.",
        ),
        "a larger PNG": (encode(larger), "."),
        "a larger JPEG": (encode(larger, "JPEG"), "."),
        "a larger progressive JPEG": (encode(larger, "JPEG", progressive=True), "."),
    }
    for what, (data, end) in helps.items():
        with pytest.raises(DrawingError, match=r"pixels\. Make it smaller") as caught:
            read_drawing(data, 16_000_000)
        assert str(caught.value).endswith(f"Make it smaller{end}"), what


@pytest.mark.parametrize("text", [data_url(b"abc"), base64.b64encode(b"abc").decode(), " YW\nJj "])
def test_base64_is_decoded_with_and_without_data_url(text: str) -> None:
    assert decode_base64_image(text, 100) == b"abc"


@pytest.mark.parametrize(
    "head",
    [
        "data:image/png;base64,",
        "data:image/jpg;base64,",
        "data:image/gif;base64,",
        "data:application/octet-stream;base64,",
        "data:;base64,",
        "data:image/png;charset=utf-8;base64,",
        "data:image/png;name=a digit.png; base64 ,",
        "DATA:IMAGE/PNG;BASE64,",
        "\n data:image/png;base64, ",
        "",
    ],
)
def test_data_url_may_have_any_media_type_and_parameters(head: str) -> None:
    assert decode_base64_image(f"{head}YWJj\n", 100) == b"abc"


@pytest.mark.parametrize(
    "text", ["+/9hYg==", "-_9hYg==", "-_9hYg", "+/9hYg=", "-_9h\r\nYg", "-/9hYg =", "+\f/\v9\thYg"]
)
def test_both_alphabets_are_decoded_with_and_without_padding(text: str) -> None:
    assert decode_base64_image(text, 100) == b"\xfb\xffab"


@pytest.mark.parametrize("piece", ["AA ", "A\n", "AAA\u2003"])
def test_whitespace_costs_no_memory(piece: str) -> None:
    text = piece * (3_000_000 // len(piece))
    tracemalloc.start()
    with suppress(DrawingError):
        decode_base64_image(text, len(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(text)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpg", "image/svg+xml", "text/plain", ""])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bytes_decide_and_not_the_media_type(kind: str, media_type: str) -> None:
    data = decode_base64_image(data_url(encode(PLAIN, kind), media_type), MAX_PIXELS)
    assert distance_from_plain(data) < 8


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing_image"),
        ("data:image/png;base64,", "missing_image"),
        ("?" * 8, "not_base64"),
        ("===", "missing_image"),
        ("abcde", "not_base64"),
        ("ab=cd", "not_base64"),
        ("https://elsewhere.example/3.png", "not_base64"),
        ("data:image/png,abc", "not_base64"),
        ("data:image/png;base64", "not_base64"),
        ("data:base64,YWJj", "not_base64"),
        ("data:nonsense", "not_base64"),
        (f"data:image/png;{'a' * 200};base64,YWJj", "not_base64"),
        (base64.b64encode(bytes(200)).decode(), "image_too_large"),
    ],
)
def test_bad_base64_raises_an_error_with_code(text: str, code: str) -> None:
    with pytest.raises(DrawingError) as caught:
        decode_base64_image(text, 100)
    assert caught.value.code == code
