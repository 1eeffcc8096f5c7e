"""Images of a prediction: the stored drawing, and the 28x28 input as a PNG."""

import numpy as np
from PIL import Image

from mnistweb.database.models import Prediction
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.png import encode_png, has_only_pixels
from mnistweb.recognition.types import SIDE, DigitImage, Ink

MAX_STORED_SIDE = 560  # pixels


def drawing_to_store(ink: Ink) -> bytes:
    """Return a grey PNG of a drawing, from its ink: uint8 [H, W].

    It has at most 560 pixels a side. The visitor's own file, with all that it says of a camera, a place or a
    person, is not kept.
    """
    if max(ink.shape) > MAX_STORED_SIDE:
        picture = Image.fromarray(ink)
        picture.thumbnail((MAX_STORED_SIDE, MAX_STORED_SIDE))
        ink = np.asarray(picture)
    return encode_png(ink, even=True)


def drawing_png(prediction: Prediction) -> bytes:
    """Return the drawing as a PNG that has only pixels, also if an earlier version stored the sent file."""
    png = prediction.drawing
    return png if has_only_pixels(png) else encode_again(png, prediction.input)


def encode_again(drawing: bytes, model_input: bytes) -> bytes:
    """Encode a stored drawing anew; one that cannot be read becomes a picture of the model's input."""
    try:
        return drawing_to_store(read_drawing(drawing, MAX_STORED_SIDE**2))
    except DrawingError:
        return _encode_input(model_input)


def drawing_ink(prediction: Prediction) -> Ink:
    """Return the ink of the drawing, or of the model's input if an earlier version stored a large file."""
    try:
        return read_drawing(prediction.drawing, MAX_STORED_SIDE**2)
    except DrawingError:
        return _input_pixels(prediction.input)


def input_png(prediction: Prediction) -> bytes:
    """Encode the recognizer's 28x28 input as a PNG."""
    return _encode_input(prediction.input)


def _encode_input(model_input: bytes) -> bytes:
    return encode_png(_input_pixels(model_input), even=True)


def _input_pixels(model_input: bytes) -> DigitImage:
    return np.frombuffer(model_input, np.uint8).reshape(SIDE, SIDE)
