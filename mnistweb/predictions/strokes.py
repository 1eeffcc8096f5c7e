"""Validation of the pen strokes that come with a drawing."""

from typing import Annotated, TypedDict

import orjson

from mnistweb.recognition.errors import UserError

MAX_STROKES = 200
MAX_POINTS = 20_000
MAX_BYTES = 1024**2
"""The largest JSON of the strokes of a drawing, as it is sent in a form, and as it is stored."""
FEW_POINTS = MAX_BYTES // 100
"""Points that take fewer bytes in any case, so that their JSON need not be measured."""
MAX_COORDINATE = 10_000.0  # units of the slate
NUMBERS = {int, float}
"""The types of a JSON number. `True` is an int, too, but its type is none of them."""
NO_NUMBER, TOO_LARGE = "not a number", "a number is not finite or too large"
COORDINATE = {"type": "number", "minimum": -MAX_COORDINATE, "maximum": MAX_COORDINATE}
PRESSURE = {"type": "number", "minimum": 0, "maximum": 1}

Length = Annotated[float, {"exclusiveMinimum": 0, "maximum": MAX_COORDINATE}]
Point = Annotated[
    list[float], {"prefixItems": [COORDINATE, COORDINATE, PRESSURE], "minItems": 2, "maxItems": 3}
]


class Stroke(TypedDict):
    """One stroke of the pen."""

    width: Length
    points: Annotated[
        list[Point],
        {"minItems": 1, "maxItems": MAX_POINTS},
        "x, y (downwards), and the pressure if it is known.",
    ]


class Strokes(TypedDict):
    """The strokes of a drawing, with at most 20,000 points in all."""

    size: Annotated[Length, "The side of the square slate, in the unit of widths and points."]
    strokes: Annotated[list[Stroke], {"maxItems": MAX_STROKES}]


def strokes_from_form(text: str) -> Strokes | None:
    """Read strokes from a form field of JSON; None if it is empty. Raises UserError (invalid_strokes)."""
    if len(text) > MAX_BYTES:
        raise _invalid_strokes(f"more than {MAX_BYTES:,} bytes")
    try:
        return strokes_from_json(orjson.loads(text)) if text else None
    except orjson.JSONDecodeError:
        raise _invalid_strokes("not JSON") from None


def strokes_from_json(value: object) -> Strokes | None:
    """Read strokes from a JSON value; None for null. Raises UserError (invalid_strokes)."""
    try:
        return None if value is None else check_strokes(value)
    except ValueError as error:
        raise _invalid_strokes(str(error)) from None


def check_strokes(value: object, most: int = MAX_BYTES) -> Strokes:
    """Return `{"size", "strokes": [{"width", "points": [[x, y] or [x, y, pressure]]}]}`, without other keys.

    `size` is the side of the square slate, in the units of widths and points; y points down; pressure is
    0..1. Raises ValueError for any other structure, and for numbers that are not finite or beyond 10,000. The
    same holds for more than 200 strokes, 20,000 points, or `most` bytes of JSON.
    """
    size, strokes = _fields(value, "size", "strokes")
    if not isinstance(strokes, list) or len(strokes) > MAX_STROKES:
        raise ValueError(f"strokes is not a list of at most {MAX_STROKES}")
    checked = [_stroke(stroke) for stroke in strokes]
    points = sum(len(stroke["points"]) for stroke in checked)
    if points > MAX_POINTS:
        raise ValueError(f"more than {MAX_POINTS} points")
    found: Strokes = {"size": _positive(size), "strokes": checked}
    if points > FEW_POINTS and len(orjson.dumps(found)) > most:
        raise ValueError(f"more than {most:,} bytes")
    return found


def _stroke(value: object) -> Stroke:
    width, points = _fields(value, "width", "points")
    if not isinstance(points, list) or not 0 < len(points) <= MAX_POINTS:
        raise ValueError("points is not a list of points")
    for point in points:
        _check_point(point)
    return {"width": _positive(width), "points": points}


def _check_point(point: object) -> None:
    # Drawings have hundreds. With a call for each number it takes twice as long.
    if not isinstance(point, list) or len(point) not in (2, 3):
        raise ValueError("a point is not [x, y] or [x, y, pressure]")
    for number in point:
        if type(number) not in NUMBERS:
            raise ValueError(NO_NUMBER)
        if not -MAX_COORDINATE <= number <= MAX_COORDINATE:
            raise ValueError(TOO_LARGE)
    if len(point) == 3 and not 0 <= point[2] <= 1:
        raise ValueError("pressure is not within 0..1")


def _fields(value: object, first: str, second: str) -> tuple[object, object]:
    if not isinstance(value, dict) or first not in value or second not in value:
        raise ValueError(f"not an object with {first} and {second}")
    return value[first], value[second]


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(NO_NUMBER)
    if not 0 < value <= MAX_COORDINATE:
        raise ValueError("a size or width is not above 0" if value <= 0 else TOO_LARGE)
    return value


def _invalid_strokes(problem: str) -> UserError:
    return UserError("invalid_strokes", f"The strokes cannot be read: {problem}.")
