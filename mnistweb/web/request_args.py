"""Query parameters, forms and uploads, which several pages or the API share."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Request, current_app, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest

from mnistweb.current import current_request
from mnistweb.predictions.pagination import Order
from mnistweb.recognition.decoding import image_too_large
from mnistweb.recognition.errors import UserError

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_JSON_VALUES = 100_000
"""Commas and opening brackets in a body. The most strokes and points that are accepted have fewer."""


def requested_limit(default: int = DEFAULT_LIMIT) -> int:
    """Parse `?limit=`, 1..200, or return `default`. Raises UserError (invalid_limit)."""
    text = request.args.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise UserError("invalid_limit", f"The limit must be a number from 1 to {MAX_LIMIT}.")
    return int(text)


def requested_cursor() -> str | None:
    """Return `?cursor=`, or None if it is missing or empty."""
    return request.args.get("cursor") or None


def requested_order() -> Order:
    """Parse `?sort=`, by default newest. Raises UserError (invalid_sort)."""
    try:
        return Order(request.args.get("sort") or Order.NEWEST)
    except ValueError:
        raise UserError("invalid_sort", f"The list can be sorted by: {', '.join(Order)}.") from None


def requested_mine() -> None:
    """Check that the request says `?mine=1`. Raises UserError (invalid_filter)."""
    if request.args.get("mine") != "1":
        raise UserError("invalid_filter", "To delete all of your drawings, the filter “mine” must be 1.")


def form_fields() -> Mapping[str, str]:
    """Return the fields of a form, also of one that the page's script sends as a JSON object of texts.

    JSON is read in a fifth of the time, because the base64 of a drawing has to be escaped in a form.
    """
    request = current_request()
    if not request.is_json:
        return request.form
    try:
        given = json_body()
    except ValueError:
        raise BadRequest from None
    texts = given.items() if isinstance(given, dict) else ()
    return {name: value for name, value in texts if isinstance(value, str)}


def json_body() -> Any:
    """Parse the body as JSON. Raises ValueError, also for one with more values than any valid body.

    They are counted before anything is parsed. Of brackets alone, a parser makes objects of 30 times their
    size, and no other thread runs meanwhile.
    """
    data = _body(current_request())
    if len(data) > MAX_JSON_VALUES and len(data) - len(data.translate(None, b"[{,")) > MAX_JSON_VALUES:
        raise ValueError("too many values")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _lenient_json(data)


def _lenient_json(data: bytes) -> Any:
    # Half a surrogate pair, a number beyond the doubles, a byte order mark: Python accepts these, so that the
    # error can name the field.
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _body(request: Request) -> bytes:
    # Werkzeug reads in blocks of 64 KB, and clears each before.
    length, most = request.content_length, request.max_content_length
    if length is None or most is None or length > most:
        return request.get_data()
    return bytes(request.environ["wsgi.input"].read(length))


def uploaded_file() -> FileStorage | None:
    """Return the form's `file`; None without one, and for JSON, whose body is not parsed for it."""
    request = current_request()
    return None if request.is_json else request.files.get("file")


def uploaded_bytes(file: FileStorage) -> bytes:
    """Read an uploaded file. Raises DrawingError beyond MAX_IMAGE_BYTES."""
    limit: int = current_app.config["MAX_IMAGE_BYTES"]
    data = file.stream.read(limit + 1)
    if len(data) > limit:
        raise image_too_large(limit)
    return data
