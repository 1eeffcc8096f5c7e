"""Images of a prediction: the stored drawing, and the 28x28 input as a PNG."""

import numpy as np
from PIL import Image

from mnistweb.database.models import Prediction
from mnistweb.recognition.png import encode_png
from mnistweb.recognition.types import SIDE, Ink

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_STORED_BYTES = 64 * 1024
MAX_STORED_SIDE = 560  # pixels


def drawing_to_store(data: bytes, ink: Ink) -> bytes:
    """Return a PNG of the drawing in the image file `data`; `ink` is its decoded ink, float32 [H, W] in 0..1.

    A small PNG, such as the slate's, is stored unchanged. Other files become a grey image of the ink, of at
    most 560 pixels a side: thumbnails stay small, and a photo's metadata is dropped.
    """
    if data.startswith(PNG_SIGNATURE) and len(data) <= MAX_STORED_BYTES and max(ink.shape) <= MAX_STORED_SIDE:
        return data
    grey = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    grey.thumbnail((MAX_STORED_SIDE, MAX_STORED_SIDE))
    return encode_png(np.asarray(grey))


def input_png(prediction: Prediction) -> bytes:
    """Encode the recognizer's 28x28 input as a PNG."""
    return encode_png(np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE))
