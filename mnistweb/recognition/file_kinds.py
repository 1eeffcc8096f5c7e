"""Name a file that is not an accepted picture by its first bytes, for the sentence that refuses it."""

from codecs import getincrementaldecoder

from mnistweb.recognition.errors import DrawingError

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF87a", "a GIF picture"),
    (0, b"GIF89a", "a GIF picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"\0\0\1\0", "an icon"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture"),
    (4, b"ftyphev", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIC picture"),
    (4, b"ftypmsf1", "a HEIC picture"),
    (4, b"ftyp", "a video"),
    (8, b"AVI ", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (8, b"WAVE", "a sound"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"PK\3\4", "a ZIP archive or a document"),
    (0, b"\x1f\x8b", "a compressed file"),
)
"""Offset and bytes that mark a kind of file, and its name. The first match counts."""
MARKUP = ((b"<svg", "an SVG picture"), (b"<!doctype html", "a web page"), (b"<html", "a web page"))
MAX_READ = 1024
"""Bytes of a file that are looked at."""
CONTROL_CHARACTERS = bytes({*range(32), 127} - {*b"\t\n\f\r"})
ACCEPTED = "PNG, JPEG or WebP"


def unsupported(data: bytes) -> DrawingError:
    """Return the error for the file `data`, which is not a PNG, JPEG or WebP picture."""
    kind = name_kind(data)
    found = f"This is {kind}." if kind else "Can’t read this file."
    return DrawingError("unsupported_media_type", f"{found} Please use a {ACCEPTED} picture.")


def name_kind(data: bytes) -> str | None:
    """Name the kind of a file with its article, "a GIF picture"; None if its first bytes tell nothing."""
    start = data[:MAX_READ]
    for offset, signature, name in SIGNATURES:
        if start.startswith(signature, offset):
            return name
    # Two letters are no proof, so the reserved bytes count, too.
    if start.startswith(b"BM") and start[6:10] == bytes(4):
        return "a BMP picture"
    return _name_text(start)


def _name_text(start: bytes) -> str | None:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        for tag, name in MARKUP:
            if tag in text:
                return name
    if not text or text.translate(None, CONTROL_CHARACTERS) != text:
        return None
    try:
        getincrementaldecoder("utf-8")().decode(text)  # the last character may be cut
    except UnicodeDecodeError:
        return None
    return "a text"
