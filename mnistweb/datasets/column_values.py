"""Values of columns as JSON, and back, with a check of their type.

JSON keeps every bit: a float is written with all digits that it needs, and bytes in base64.
"""

import base64
import enum
import math
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Double, Enum, Integer, LargeBinary, String, Uuid

from mnistweb.database.models import UtcDateTime

MAX_INTEGER = 2**15 - 1
MAX_TEXT = 10_000
"""Characters of a text whose column has no limit."""


def to_json(value: Any) -> Any:
    """Return a JSON value for a value of a column."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, (uuid.UUID, enum.Enum)) else value


def from_json(column: Column[Any], value: Any) -> Any:
    """Return the value of a column for a JSON value. Raises ValueError for one that it cannot hold."""
    if value is None:
        if not column.nullable:
            raise ValueError("it is missing")
        return None
    kind = column.type
    if isinstance(kind, JSON):
        return value
    if isinstance(kind, Boolean):
        if not isinstance(value, bool):
            raise ValueError("it is neither true nor false")
        return value
    if isinstance(kind, Double):
        return _number(value)
    if isinstance(kind, Integer):
        return _integer(value)
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return _from_text(kind, value)


def _from_text(kind: Any, text: str) -> Any:
    if isinstance(kind, Uuid):
        if str(found := uuid.UUID(text)) != text:
            raise ValueError("it is no id")
        return found
    if isinstance(kind, UtcDateTime):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("it has no time zone")
        return moment.astimezone(UTC)
    if isinstance(kind, Enum):
        return kind.enum_class(text) if kind.enum_class else text
    if isinstance(kind, LargeBinary):
        return base64.b64decode(text, validate=True)
    if isinstance(kind, String):
        if len(text) > (kind.length or MAX_TEXT) or not text.isprintable():
            raise ValueError("it is too long, or has unprintable characters")
        return text
    raise ValueError("it is of an unknown type")


def _integer(value: Any) -> int:
    # `True` is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int) or not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("it is no small integer")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("it is no finite number")
    return float(value)
