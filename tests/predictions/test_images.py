import io

import numpy as np
from PIL import Image

from mnistweb.predictions.images import MAX_STORED_SIDE, drawing_to_store
from tests.support.drawings import digit_png


def test_small_png_is_stored_unchanged() -> None:
    assert drawing_to_store(digit_png(3), np.zeros((280, 280), np.float32)) == digit_png(3)


def test_photo_is_stored_as_a_small_image_of_its_ink() -> None:
    ink = np.zeros((1000, 4000), np.float32)
    ink[400:600, 1000:3000] = 1
    stored = drawing_to_store(b"a photo with its place and device", ink)
    picture = Image.open(io.BytesIO(stored))
    assert (picture.format, picture.mode, picture.size) == (
        "PNG",
        "L",
        (MAX_STORED_SIDE, MAX_STORED_SIDE // 4),
    )
    assert picture.getpixel((280, 70)) == 255
    assert picture.getpixel((10, 10)) == 0


def test_large_png_is_reduced() -> None:
    data = digit_png(3)
    assert len(drawing_to_store(data, np.zeros((5000, 5000), np.float32))) < len(data)
