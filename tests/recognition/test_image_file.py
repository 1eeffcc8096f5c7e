"""Metadata is removed, and hostile files are handled in time."""

import io

import pytest
from PIL import Image

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.image_file import DamagedFile, count_scans, read_orientation, strip_metadata
from tests.support.drawings import digit_png, draw_digit, encode
from tests.support.fuzz.pieces import PNG, chunk, exif, segment
from tests.support.fuzz.seeds import HOSTILE, SEEDS
from tests.support.fuzz.trial import attempt

JPEG = encode(draw_digit(3), "JPEG")
PROGRESSIVE = encode(draw_digit(3).convert("RGB"), "JPEG", progressive=True)
SCANS = 10
"""Scans of a progressive JPEG in colour, as libjpeg writes it."""
SCAN, END = b"\xff\xda", b"\xff\xd9"
BETWEEN_SCANS = {
    "nothing": b"",
    "what looks like a scan": segment(0xFE, SCAN * 9),
    "what looks like the end": segment(0xFE, END) + segment(0xEC, END + SCAN),
    "a length of 0": b"\xff\xfe\0\0",
    "a length of 1": b"\xff\xe9\0\1",
    "markers without a length": b"\xff\1\xff\xd3\xff\xd0",
    "fill bytes": b"\xff\xff\xff",
    "stuffed bytes": b"\xff\0\xff\xff\0",
    "junk": b"\xda\0\xd9",
}
# The limit is 200 ms, which `make fuzz` checks. A busy machine takes longer.
MAX_MILLISECONDS = 800


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_handled_within_the_time_limit(name: str) -> None:
    assert attempt(HOSTILE[name]()).milliseconds < MAX_MILLISECONDS


@pytest.mark.parametrize("name", SEEDS)
def test_seed_files_are_read_or_rejected(name: str) -> None:
    refused = name.startswith(("bad", "truncated")) or name.endswith("animated")
    flat = name in ("PNG of 1 bits", "PNG of 2 bits", "PNG of 4 bits", "PNG interlaced")
    blank = flat or name in ("PNG of 16 bits, 0", "PNG of 16 bits, 2")  # these two are noise
    assert (attempt(SEEDS[name]).outcome == "ink") is not (refused or blank)


def test_files_without_metadata_are_not_copied() -> None:
    data = digit_png()
    assert strip_metadata(data).data is data


def test_png_metadata_is_removed() -> None:
    data = digit_png()
    described = data[:33] + chunk(b"tEXt", b"a\0b") + chunk(b"eXIf", b"abc") + data[33:] + b"more"
    assert strip_metadata(described) == (data, b"abc")


def test_jpeg_metadata_is_removed() -> None:
    described = (
        JPEG[:20] + segment(0xE1, b"Exif\0\0abc") + segment(0xED, b"x") + segment(0xFE, b"y") + JPEG[20:]
    )
    assert strip_metadata(described) == (JPEG, b"Exif\0\0abc")


def test_first_picture_of_a_jpeg_is_read() -> None:
    # Phones write such files, with a preview or a depth map after the photo.
    several = JPEG[:20] + segment(0xE2, b"MPF\0" + exif(3)) + JPEG[20:] + JPEG
    assert (read_drawing(several, 10**6) == read_drawing(JPEG, 10**6)).all()


@pytest.mark.parametrize("what", BETWEEN_SCANS)
def test_scans_are_counted_as_the_decoder_finds_them(what: str) -> None:
    start = PROGRESSIVE.rindex(SCAN)
    data = PROGRESSIVE[:start] + BETWEEN_SCANS[what] + PROGRESSIVE[start:]
    with Image.open(io.BytesIO(PROGRESSIVE)) as plain, Image.open(io.BytesIO(data)) as picture:
        assert picture.tobytes() == plain.tobytes()  # the last scan was found
    assert count_scans(data) == SCANS
    assert count_scans(data + SCAN * 9) == SCANS


@pytest.mark.parametrize(
    "data",
    [
        PROGRESSIVE[:-2],
        PROGRESSIVE[:-2] + b"\xff\xfe\xff\xff" + END,
        PROGRESSIVE[:-2] + segment(0xFE) * 9000 + END,
    ],
    ids=["without an end", "a length beyond the end", "too many segments"],
)
def test_whatever_looks_like_a_scan_counts_in_a_jpeg_without_a_clear_end(data: bytes) -> None:
    assert count_scans(data) == SCANS
    assert count_scans(data + SCAN * 9) == SCANS + 9


def test_fill_bytes_count_only_before_the_end_of_a_jpeg() -> None:
    fill = b"\xff" * 100_000
    assert count_scans(PROGRESSIVE + fill) == SCANS
    with pytest.raises(DamagedFile):
        count_scans(PROGRESSIVE[:-2] + fill + END)


@pytest.mark.parametrize(
    "data", [JPEG[:2] + b"\xff", JPEG[:100], JPEG[:20] + b"\0" + JPEG[20:], PNG + bytes(120_000)]
)
def test_damaged_files_raise_an_error(data: bytes) -> None:
    with pytest.raises((DamagedFile, DrawingError)):
        read_drawing(strip_metadata(data).data, 10**6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_read_from_the_first_directory(order: str, value: int) -> None:
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
def test_damaged_exif_block_means_upright(block: bytes) -> None:
    assert read_orientation(block) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation_of_all_formats_is_applied(kind: str) -> None:
    upright = draw_digit(5).resize((140, 200))
    tag = Image.Exif()
    tag[0x0112] = 6
    turned = encode(upright.transpose(Image.Transpose.ROTATE_90), kind, exif=tag)
    assert read_drawing(turned, 10**6).shape == (200, 140)
