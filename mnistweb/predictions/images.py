"""The pictures of a prediction: the drawing that is kept, and the 28x28 input as a PNG."""

import numpy as np
from PIL import Image

from mnistweb.database.models import Prediction
from mnistweb.recognition.png import encode_png
from mnistweb.recognition.types import SIDE, Ink

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_KEPT_BYTES = 64 * 1024
MAX_KEPT_SIDE = 560


def picture_to_keep(data: bytes, ink: Ink) -> bytes:
    """A PNG of the drawing `data`, whose ink (float32 [H, W], 0..1) was already read.

    A small PNG, as the slate sends, is kept as it came. Anything else becomes a grey picture of its ink, at
    most 560 pixels a side: a history of thumbnails stays light, and what a photo says of its place and device
    is not kept.
    """
    if data.startswith(PNG_SIGNATURE) and len(data) <= MAX_KEPT_BYTES and max(ink.shape) <= MAX_KEPT_SIDE:
        return data
    grey = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    grey.thumbnail((MAX_KEPT_SIDE, MAX_KEPT_SIDE))
    return encode_png(np.asarray(grey))


def input_png(prediction: Prediction) -> bytes:
    """Encode the 28x28 image the recognizer saw as a PNG."""
    return encode_png(np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE))
