"""What draws of a file is kept, what only describes it is left behind, and none keeps a decoder busy."""

import pytest
from PIL import Image

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.image_file import DamagedFile, read_orientation, strip_metadata
from tests.support.drawings import digit_png, draw_digit, encode
from tests.support.fuzz.pieces import PNG, chunk, exif, segment
from tests.support.fuzz.seeds import HOSTILE, SEEDS
from tests.support.fuzz.trial import attempt

JPEG = encode(draw_digit(3), "JPEG")
# The promise is a fifth of a second, which `make fuzz` holds it to; a busy machine takes longer.
MOST_MILLISECONDS = 800


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_keeps_the_server_busy(name: str) -> None:
    assert attempt(HOSTILE[name]()).milliseconds < MOST_MILLISECONDS


@pytest.mark.parametrize("name", SEEDS)
def test_every_kind_of_file_is_read_or_refused(name: str) -> None:
    refused = name.startswith(("bad", "truncated")) or name.endswith("animated")
    blank = name in ("PNG of 1 bits", "PNG of 2 bits", "PNG of 4 bits", "PNG interlaced")
    assert (attempt(SEEDS[name]).outcome == "ink") is not (refused or blank)


def test_what_the_slate_sends_is_not_even_copied() -> None:
    data = digit_png()
    assert strip_metadata(data).data is data


def test_texts_and_profiles_of_a_png_are_left_behind() -> None:
    data = digit_png()
    described = data[:33] + chunk(b"tEXt", b"a\0b") + chunk(b"eXIf", b"abc") + data[33:] + b"more"
    assert strip_metadata(described) == (data, b"abc")


def test_segments_that_describe_a_jpeg_are_left_behind() -> None:
    described = (
        JPEG[:20] + segment(0xE1, b"Exif\0\0abc") + segment(0xED, b"x") + segment(0xFE, b"y") + JPEG[20:]
    )
    assert strip_metadata(described) == (JPEG, b"Exif\0\0abc")


def test_a_jpeg_of_several_pictures_is_read_as_its_first() -> None:
    # As telephones write them, with a preview or the depth behind the photograph.
    several = JPEG[:20] + segment(0xE2, b"MPF\0" + exif(3)) + JPEG[20:] + JPEG
    assert (read_drawing(several, 10**6) == read_drawing(JPEG, 10**6)).all()


@pytest.mark.parametrize(
    "data", [JPEG[:2] + b"\xff", JPEG[:100], JPEG[:20] + b"\0" + JPEG[20:], PNG + bytes(120_000)]
)
def test_what_leads_to_no_picture_is_damaged(data: bytes) -> None:
    with pytest.raises((DamagedFile, DrawingError)):
        read_drawing(strip_metadata(data).data, 10**6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
def test_the_orientation_stands_in_the_first_directory(order: str, value: int) -> None:
    assert read_orientation(exif(3, value=value, order=order)) == value
    assert read_orientation(b"Exif\0\0" + exif(1, value=value, order=order)) == value


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"nonsense",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        exif(3)[:12],
        exif(3, value=0),
        exif(3, value=9),
        exif(3, count=2),
    ],
)
def test_a_damaged_exif_block_turns_nothing(block: bytes) -> None:
    assert read_orientation(block) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_kind_of_file_is_set_upright(kind: str) -> None:
    upright = draw_digit(5).resize((140, 200))
    tag = Image.Exif()
    tag[0x0112] = 6
    turned = encode(upright.transpose(Image.Transpose.ROTATE_90), kind, exif=tag)
    assert read_drawing(turned, 10**6).shape == (200, 140)
