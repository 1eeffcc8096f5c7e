"""A refused file is named by its bytes."""

import gzip
import io
import zipfile

import pytest

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.file_kinds import name_kind
from tests.support.drawings import digit_png, draw_digit, encode


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archived:
        archived.writestr("digit.png", digit_png())
    return file.getvalue()


KINDS: dict[str, list[bytes]] = {
    "a GIF picture": [encode(draw_digit(3), "GIF")],
    "a BMP picture": [encode(draw_digit(3), "BMP")],
    "a TIFF picture": [encode(draw_digit(3), "TIFF"), b"MM\0*\0\0\0\x08"],
    "an icon": [encode(draw_digit(3), "ICO")],
    "an AVIF picture": [b"\0\0\0\x1cftypavif\0\0\0\0", b"\0\0\0\x1cftypavis\0\0\0\0"],
    "a HEIC picture": [b"\0\0\0\x18ftypheic\0\0\0\0", b"\0\0\0\x18ftypmif1\0\0\0\0"],
    "a JPEG XL picture": [b"\xff\x0a\xfa\x1f", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "an SVG picture": [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<!-- a digit --><SVG/>",
    ],
    "a web page": [b"<!DOCTYPE html><title>Not found</title>", b"<html></html>"],
    "a video": [b"\0\0\0\x18ftypmp42\0\0\0\0", b"RIFF\1\1\1\1AVI LIST", b"\x1aE\xdf\xa3\1"],
    "a sound": [b"RIFF\1\1\1\1WAVEfmt "],
    "a PDF document": [b"%PDF-1.7\n%\xe2\xe3"],
    "a ZIP archive or a document": [archive()],
    "a compressed file": [gzip.compress(digit_png())],
    "a text": [b"not a picture", b"BMW is no bitmap", b"a" + "é".encode() * 600],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_named_by_its_first_bytes(kind: str) -> None:
    assert [name_kind(data) for data in KINDS[kind]] == [kind] * len(KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_file_is_named_in_the_sentence(kind: str) -> None:
    for data in KINDS[kind]:
        with pytest.raises(DrawingError) as caught:
            read_drawing(data, 10**6)
        assert caught.value.code == "unsupported_media_type"
        assert str(caught.value) == f"This is {kind}. Please use a PNG, JPEG or WebP picture."


@pytest.mark.parametrize("data", [b"\0", b"\x7fELF\2\1", b"\x80abc", b"text with \0", b"   "])
def test_an_unknown_file_is_not_guessed_at(data: bytes) -> None:
    assert name_kind(data) is None
    with pytest.raises(DrawingError, match=r"Can’t read this file\. Please use"):
        read_drawing(data, 10**6)
