"""One file through the whole path of a drawing, with the invariants of each step."""

import time
from dataclasses import dataclass

import numpy as np

from mnistweb.predictions.images import drawing_to_store
from mnistweb.recognition.decoding import MAX_SIDE, decode_base64_image, read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.png import is_own
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import SIDE
from tests.support.drawings import data_url
from tests.support.fuzz.seeds import MAX_IMAGE_BYTES

MAX_PIXELS = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Trial:
    """Outcome of a file, "ink" or a DrawingError's code, and processor time in milliseconds."""

    outcome: str
    milliseconds: float


def attempt(data: bytes) -> Trial:
    """Read a file as the site would. Any exception other than DrawingError is a fault of the site."""
    text = data_url(data)
    started = time.process_time()
    try:
        read(text)
        outcome = "ink"
    except DrawingError as error:
        outcome = error.code
    return Trial(outcome, (time.process_time() - started) * 1000)


def read(text: str) -> None:
    """Decode base64 to the 28x28 image and the stored picture; check that each is as documented."""
    data = decode_base64_image(text, MAX_IMAGE_BYTES)
    ink = read_drawing(data, MAX_PIXELS)
    assert ink.ndim == 2
    assert 0 < min(ink.shape) <= max(ink.shape) <= MAX_SIDE
    assert ink.dtype == np.uint8
    image = normalize(ink)
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.uint8
    assert image.max() > 0
    assert is_own(drawing_to_store(ink))
