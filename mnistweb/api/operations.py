"""Decorators that declare on a view the body, parameters and responses of its operation.

They parse requests, and mnistweb.api.openapi makes the description from the same declarations.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args, get_type_hints

from werkzeug.exceptions import UnsupportedMediaType

from mnistweb.api.json_schema import Schema
from mnistweb.current import current_request
from mnistweb.recognition.errors import UserError
from mnistweb.web.request_args import json_body

P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B")
JSON = "application/json"
BODY_ERRORS = ("invalid_json", "unsupported_media_type", "image_too_large")


@dataclass(frozen=True, slots=True)
class Read:
    """The function that reads a body's field from its JSON value, and the codes of errors about the value.

    The function gets MISSING for a required field that is missing.
    """

    function: Callable[[Any], Any]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters with their schemas, the function that reads them from the request, and its errors' codes."""

    read: Callable[[], Any]
    schemas: Mapping[str, Schema]
    errors: tuple[str, ...]
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """The content of a response as a type hint (None: no content), and descriptions of its headers.

    `example` holds fields of a sample that differ from the examples of the hint.
    """

    content: Any
    description: str
    mimetype: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Operation:
    """The declarations on one view."""

    body: Any = None
    parameters: list[Parameters] = field(default_factory=list)
    responses: dict[int, Response] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def operation(view: Callable[..., Any]) -> Operation:
    """Return the declarations on a view, for reading and for adding to them."""
    found: Operation = view.__dict__.setdefault("operation", Operation())
    return found


def body(schema: type[B]) -> Callable[[Callable[Concatenate[B, P], R]], Callable[P, R]]:
    """Give the view the JSON object of the request as its first argument: an instance of a dataclass.

    Each field of the dataclass is annotated with Read. Fields with a default may be missing.
    """
    readers = _readers(schema)

    def decorate(view: Callable[Concatenate[B, P], R]) -> Callable[P, R]:
        operation(view).body = schema
        operation(view).errors += [
            *BODY_ERRORS,
            *(code for read, _ in readers.values() for code in read.errors),
        ]

        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            given = _json_object()
            values = {
                name: read.function(given.get(name, MISSING))
                for name, (read, required) in readers.items()
                if required or name in given
            }
            return view(schema(**values), *args, **kwargs)

        return wrapper

    return decorate


def parameters(**declared: Parameters) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give the view parameters of the request as keyword arguments."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        operation(view).parameters += declared.values()
        operation(view).errors += [code for each in declared.values() for code in each.errors]

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> R:
            return view(*args, **kwargs, **{name: each.read() for name, each in declared.items()})

        return wrapper

    return decorate


def response(
    content: Any, status: int, description: str, **details: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a response of the view. Errors are declared where their values are read.

    `details` are further fields of Response.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        operation(view).responses[status] = Response(content, description, **details)
        return view

    return decorate


def _readers(schema: type) -> dict[str, tuple[Read, bool]]:
    hints = get_type_hints(schema, include_extras=True)
    found = {}
    for each in fields(schema):
        (read,) = (note for note in get_args(hints[each.name]) if isinstance(note, Read))
        found[each.name] = read, each.default is MISSING
    return found


def _json_object() -> dict[str, Any]:
    # The content type is required because it replaces a CSRF token: no form of another site can send it.
    if current_request().mimetype != JSON:
        raise UnsupportedMediaType
    try:
        value = json_body()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError("invalid_json", "The body of the request is not a JSON object.")
    return value
