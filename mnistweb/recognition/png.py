"""Pictures for people."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of grey pixels, uint8 [H, W], or with their opacity [H, W, 2]."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def data_url(png: bytes) -> str:
    """The PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
