import io

import numpy as np
from PIL import Image

from mnistweb.predictions.images import MAX_KEPT_SIDE, picture_to_keep
from tests.support.drawings import digit_png


def test_what_the_slate_sends_is_kept_as_it_came() -> None:
    assert picture_to_keep(digit_png(3), np.zeros((280, 280), np.float32)) == digit_png(3)


def test_a_photo_is_kept_as_a_small_picture_of_its_ink() -> None:
    ink = np.zeros((1000, 4000), np.float32)
    ink[400:600, 1000:3000] = 1
    kept = picture_to_keep(b"a photo with its place and device", ink)
    picture = Image.open(io.BytesIO(kept))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (MAX_KEPT_SIDE, MAX_KEPT_SIDE // 4))
    assert picture.getpixel((280, 70)) == 255
    assert picture.getpixel((10, 10)) == 0


def test_a_png_of_many_pixels_is_reduced() -> None:
    data = digit_png(3)
    assert len(picture_to_keep(data, np.zeros((5000, 5000), np.float32))) < len(data)
