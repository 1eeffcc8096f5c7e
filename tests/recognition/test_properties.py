"""Properties that hold for all images and all lists of strokes."""

import base64
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnistweb.predictions.strokes import MAX_COORDINATE, check_strokes
from mnistweb.recognition.decoding import decode_base64_image, read_drawing
from mnistweb.recognition.errors import DrawingError, EmptyDrawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import DigitImage, Ink, to_ink
from tests.support.compare import unlike
from tests.support.drawings import STROKES, data_url, draw_digit, encode
from tests.support.fuzz.pieces import reseal
from tests.support.fuzz.seeds import SEEDS
from tests.support.fuzz.trial import attempt

digits = st.sampled_from(sorted(STROKES))
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["size", "strokes", "width", "points"]), inner, max_size=4)
    ),
    max_leaves=20,
)
numbers = st.floats(-MAX_COORDINATE, MAX_COORDINATE) | st.integers(-10_000, 10_000)
lengths = st.floats(0, MAX_COORDINATE, exclude_min=True)
points = st.tuples(numbers, numbers) | st.tuples(numbers, numbers, st.floats(0, 1))
slates = st.fixed_dictionaries(
    {
        "size": lengths,
        "strokes": st.lists(
            st.fixed_dictionaries(
                {"width": lengths, "points": st.lists(points.map(list), min_size=1, max_size=5)}
            ),
            max_size=5,
        ),
    }
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a valid file with bytes changed, cut out or doubled, mostly with correct checksums."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 40)))
        data[at:until] = draw(st.binary(max_size=40) | st.just(bytes(data[at:until] * 2)))
    return reseal(bytes(data)) if draw(st.booleans()) else bytes(data)


@cache
def drawn(digit: int) -> Image.Image:
    return draw_digit(digit)


def image_of(picture: Image.Image) -> DigitImage:
    return normalize(read_drawing(encode(picture), 10**7))


@settings(max_examples=300)
@given(damaged() | st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    attempt(data)  # checks ink and image, and catches DrawingError only


@given(st.text(max_size=200) | st.binary().map(lambda data: data_url(data)[: len(data) + 20]))
def test_any_text_is_decoded_or_rejected(text: str) -> None:
    try:
        data = decode_base64_image(text, 100)
    except DrawingError:
        return
    assert 0 < len(data) <= 102


@given(
    st.binary(min_size=1, max_size=100),
    st.sampled_from(["", "data:image/png;base64,", " data:image/webp;x=1;BASE64,"]),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
    st.booleans(),
)
def test_base64_round_trip(data: bytes, prefix: str, encode: Callable[[bytes], bytes], padded: bool) -> None:
    text = encode(data).decode()
    assert decode_base64_image(prefix + (text if padded else text.rstrip("=")), 100) == data


@st.composite
def inks(draw: st.DrawFn) -> Ink:
    """Draw any ink, from a dot to noise."""
    shape = draw(st.tuples(st.integers(1, 60), st.integers(1, 60)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    ink = rng.random(shape) * draw(st.floats(0, 1))
    return to_ink(np.where(rng.random(shape) < draw(st.floats(0, 1)), ink, 0))


@given(inks())
def test_any_ink_gives_a_full_range_image_or_is_empty(ink: Ink) -> None:
    try:
        image = normalize(ink)
    except EmptyDrawing:
        assert ink.max() <= 25
    else:
        assert image.shape == (28, 28)
        assert image.dtype == np.uint8
        assert image.max() == 255


@given(inks(), st.tuples(*[st.integers(0, 100)] * 4))
def test_padding_changes_nothing(ink: Ink, room: tuple[int, int, int, int]) -> None:
    above, below, left, right = room
    wider = np.pad(ink, ((above, below), (left, right)))
    if ink.max() > 25:
        assert np.array_equal(normalize(wider), normalize(ink))


@settings(max_examples=30)
@given(digits, st.integers(-60, 60), st.integers(-50, 50))
def test_shifted_digit_gives_the_same_image(digit: int, right: int, down: int) -> None:
    picture = drawn(digit)
    moved = picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, -right, 0, 1, -down))
    # Skip digits that were pushed over the edge.
    if np.asarray(moved, np.int64).sum() == np.asarray(picture, np.int64).sum():
        assert np.array_equal(image_of(moved), image_of(picture))


@settings(max_examples=30)
@given(digits, st.floats(0.4, 4))
def test_scaled_digit_gives_nearly_the_same_image(digit: int, scale: float) -> None:
    side = round(280 * scale)
    assert (
        unlike(image_of(drawn(digit).resize((side, side), Image.Resampling.BICUBIC)), image_of(drawn(digit)))
        < 14
    )


@settings(max_examples=30)
@given(digits, st.integers(0, 255), st.integers(0, 255))
def test_digit_in_any_two_greys_gives_nearly_the_same_image(digit: int, background: int, pen: int) -> None:
    if abs(pen - background) < 60:
        return
    levels = np.asarray(drawn(digit), np.float32) / 255
    picture = Image.fromarray(np.rint(background + (pen - background) * levels).astype(np.uint8))
    assert unlike(image_of(picture), image_of(drawn(digit))) < 8


@given(json)
def test_any_json_is_valid_strokes_or_rejected(value: object) -> None:
    try:
        checked = check_strokes(value)
    except ValueError:
        return
    assert check_strokes(checked) == checked


@given(slates)
def test_valid_strokes_are_unchanged(slate: dict[str, object]) -> None:
    assert check_strokes(slate) == slate


@given(st.integers() | st.floats() | st.booleans())
def test_coordinates_are_finite_and_bounded(number: float) -> None:
    slate = {"size": 280, "strokes": [{"width": 20, "points": [[0, number]]}]}
    if isinstance(number, bool) or math.isnan(number) or abs(number) > MAX_COORDINATE:
        with pytest.raises(ValueError, match="number"):
            check_strokes(slate)
    else:
        assert check_strokes(slate) == slate
