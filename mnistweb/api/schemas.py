"""The bodies, parameters and responses of the API: their fields, and the functions that read them."""

from dataclasses import dataclass
from typing import Annotated, NotRequired, TypedDict

from mnistweb.api.json_schema import Schema
from mnistweb.api.operations import Parameters, Read
from mnistweb.current import current_site
from mnistweb.predictions.feedback import label_from_json
from mnistweb.predictions.filter_fields import FIELDS
from mnistweb.predictions.idempotency import HEADER, MAX_KEY_LENGTH, MIN_KEY_LENGTH, requested_key
from mnistweb.predictions.pagination import Order
from mnistweb.predictions.serializers import (
    CERTAINTY,
    DIGIT,
    ID,
    PROBABILITIES,
    PROBABILITY,
    ModelName,
    ModelVersion,
    Prediction,
    Probabilities,
    Reading,
)
from mnistweb.predictions.strokes import Strokes, strokes_from_json
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.errors import DrawingError, UserError
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import requested_filter
from mnistweb.web.error_handlers import STATUS
from mnistweb.web.request_args import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    requested_cursor,
    requested_limit,
    requested_mine,
    requested_order,
)

IMAGE_ERRORS = (
    "missing_image",
    "not_base64",
    "unreadable_image",
    "too_many_pixels",
    "animated_image",
    "empty_drawing",
)
MODEL_ERRORS = (
    "unknown_model",
    *(code for code, status in STATUS.items() if code.startswith("model_") and status == 503),
)
SAMPLE_IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAQAAAABbAUdZAAAAVUlEQVR42n3KIQ6CYACG4WffT9cDsME1TF7PIxkJHIJIIBCZiTknBEbUp74v"
    "/zUd7ou4PVTmQZigFj5CC6soq0Cx6c+Fwvcd3VW0FF5TXJ5oxqP/tANR8REmZaPrBwAAAABJRU5ErkJggg=="
)
"""A three in 32x32 pixels."""


def image_from_json(value: object) -> bytes:
    """Read an image file from a data URL or base64. Raises DrawingError, see decode_base64_image."""
    if not isinstance(value, str):
        raise DrawingError("missing_image", "There is no picture to read.")
    return decode_base64_image(value, current_site().config["MAX_IMAGE_BYTES"])


def model_from_json(value: object) -> str | None:
    """Read the name of a model. Raises UserError (unknown_model) for another type."""
    if value is not None and not isinstance(value, str):
        raise UserError("unknown_model", "There is no model of that name.")
    return value


def model_names() -> Schema:
    """Return the names that `model_from_json` and the registry accept."""
    return {"enum": [*(card.name for card in model_cards()), None]}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing to read."""

    image: Annotated[
        bytes,
        {"format": "drawing", "examples": [SAMPLE_IMAGE]},
        "A PNG, JPEG or WebP file, as a data URL or in bare base64.",
        Read(image_from_json, IMAGE_ERRORS),
    ]
    model: Annotated[
        str | None,
        model_names,
        "The model that reads it; the default model if missing or null.",
        Read(model_from_json, MODEL_ERRORS),
    ] = None
    strokes: Annotated[
        Strokes | None,
        "The strokes of the drawing, stored with it.",
        Read(strokes_from_json, ("invalid_strokes",)),
    ] = None


@dataclass(frozen=True, slots=True)
class Label:
    """The true digit of a drawing."""

    label: Annotated[
        int | None,
        DIGIT,
        "0 to 9, or null if it is not a digit.",
        Read(label_from_json, ("invalid_label",)),
    ]


@dataclass(frozen=True, slots=True)
class EmptyObject:
    """An object without fields; others are ignored."""


class Answer(Reading):
    """The answer to a drawing."""

    id: Annotated[str | None, ID, "null if it was not saved."]
    saved: Annotated[bool, {"examples": [True]}, "Whether the prediction was saved."]


class Page(TypedDict):
    """Predictions, in the order of `sort`."""

    items: Annotated[list[Prediction], {"maxItems": MAX_LIMIT}]
    next: Annotated[
        str | None,
        {"examples": ["AAZJqyLSKAB9PTteLQpMU6CjaxbVLwueP-_lyR0U470A"]},
        "The cursor of the next page; null on the last page.",
    ]


class Deleted(TypedDict):
    """The result of a deletion."""

    deleted: Annotated[int, {"minimum": 0, "examples": [12]}, "The number of deleted drawings."]


class ModelAnswer(TypedDict):
    """The answer of one model, or the reason why it has none."""

    model: ModelName
    model_version: ModelVersion
    digit: Annotated[int | None, DIGIT, "The digit read; null if it was not a digit, or without an answer."]
    certainty: Annotated[Certainty | None, CERTAINTY]
    confidence: Annotated[float | None, PROBABILITY]
    not_a_digit: Annotated[float | None, PROBABILITY, {"examples": [0.0013]}]
    probabilities: Annotated[Probabilities | None, PROBABILITIES]
    milliseconds: Annotated[float, {"minimum": 0, "examples": [2.1]}, "The time that the model took."]
    error: Annotated[str | None, {"examples": [None]}, "A sentence if the model gave no answer."]


class Comparison(TypedDict):
    """The answers of all models."""

    items: list[ModelAnswer]


class Model(TypedDict):
    """A model that a request can name."""

    name: ModelName
    title: Annotated[str, {"examples": ["Convolutional network"]}]
    version: ModelVersion
    parameters: Annotated[int | None, {"minimum": 0, "examples": [290795]}, "The number of learned weights."]
    default: Annotated[bool, {"examples": [True]}]


class Models(TypedDict):
    """The models of this site."""

    items: list[Model]


class ErrorContent(TypedDict):
    """The content of an error."""

    code: Annotated[str, "For programs."]
    message: Annotated[str, "One sentence for people."]
    request_id: NotRequired[Annotated[str, "The request id to report, if the server failed."]]


class Error(TypedDict):
    """An error."""

    error: ErrorContent


IDEMPOTENCY_KEY = Parameters(
    requested_key,
    {
        HEADER: {
            "type": "string",
            "minLength": MIN_KEY_LENGTH,
            "maxLength": MAX_KEY_LENGTH,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
            "description": "Makes it safe to send the request again. Random, and as secret as a password.",
        }
    },
    ("invalid_idempotency_key", "idempotency_key_reused"),
    place="header",
)
LIMIT = Parameters(
    requested_limit,
    {
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_LIMIT,
            "default": DEFAULT_LIMIT,
            "description": "The number of predictions, at most.",
        }
    },
    ("invalid_limit",),
)
CURSOR = Parameters(
    requested_cursor,
    {
        "cursor": {
            "type": "string",
            "format": "cursor",
            "description": "The start of the page: `next` of the page before.",
        }
    },
    ("invalid_cursor",),
)
SORT = Parameters(
    requested_order,
    {
        "sort": {
            "type": "string",
            "enum": [*map(str, Order), ""],
            "default": str(Order.NEWEST),
            "description": "The order: by time, or by confidence.",
        }
    },
    ("invalid_sort",),
)

MINE = Parameters(
    requested_mine,
    {
        "mine": {
            "type": "string",
            "enum": ["1"],
            "description": "Says that you mean all of your own drawings.",
        }
    },
    ("invalid_filter",),
    required=True,
)


def _or_empty(schema: Schema) -> Schema:
    # Forms send empty fields, which ask for nothing.
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], ""]}
    if "format" in schema or schema["type"] == "number":
        given = {keyword: value for keyword, value in schema.items() if keyword != "description"}
        return {"anyOf": [given, {"const": ""}], "description": schema["description"]}
    return schema


FILTER = Parameters(
    requested_filter,
    {field.key: _or_empty(field.schema) for field in FIELDS.values()},
    ("invalid_filter", "not_found"),
)
