"""What the API takes and gives, as JSON Schema; the description of the API is made of it."""

from typing import Any

from mnistweb.database.models import Source
from mnistweb.predictions.strokes import MAX_COORDINATE, MAX_POINTS, MAX_STROKES
from mnistweb.web.request_args import DEFAULT_LIMIT, MAX_LIMIT

Schema = dict[str, Any]

DIGIT: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
TEXT: Schema = {"type": "string"}
YES_OR_NO: Schema = {"type": "boolean"}


def _said(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def _object(properties: dict[str, Schema], **more: Any) -> Schema:
    # What is given has all of it and nothing else.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    } | more


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items} | more


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


PROBABILITIES = _list(SHARE, minItems=10, maxItems=10)
PREDICTION = {
    "id": {"type": "string", "format": "uuid"},
    "created_at": _said({"type": "string", "format": "date-time"}, "In UTC."),
    "source": {"type": "string", "enum": [str(source) for source in Source]},
    "digit": _said(DIGIT, "What was read; null: not a digit."),
    "confidence": _said(SHARE, "The calibrated probability that the answer is right."),
    "not_a_digit": _said(SHARE, "The probability that it is no digit."),
    "reason": _said(_or_null(TEXT), "Why it was taken for no digit."),
    "probabilities": _said(PROBABILITIES, "Of the digits 0 to 9."),
    "model": TEXT,
    "model_version": TEXT,
    "recognition_ms": _said(
        {"type": "number", "minimum": 0}, "Milliseconds from the image file to the answer."
    ),
    "label": _said(DIGIT, "What its author says it is; null with labelled: no digit."),
    "labelled": _said(YES_OR_NO, "Whether its author has said what it is."),
    "correct": _said(
        {"type": ["boolean", "null"]}, "Whether the answer was right; null while that is not known."
    ),
}
COORDINATE: Schema = {"type": "number", "minimum": -MAX_COORDINATE, "maximum": MAX_COORDINATE}
LENGTH: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_COORDINATE}
STROKE: Schema = {
    "type": "object",
    "properties": {
        "width": LENGTH,
        "points": _list(_reference("Point"), minItems=1, maxItems=MAX_POINTS),
    },
    "required": ["width", "points"],
}


def drawing(networks: list[str]) -> Schema:
    """What is sent to be read, where these networks can be named."""
    return {
        "type": "object",
        "properties": {
            "image": _said(
                {"type": "string", "format": "drawing"},
                "A PNG, JPEG or WebP: a data URL, or base64 alone.",
            ),
            "model": _said(
                {"enum": [*networks, None]},
                "The network that is to read it; the default one where it is missing or null.",
            ),
            "strokes": {
                "description": "How it was drawn, to be kept with it.",
                "anyOf": [_reference("Strokes"), {"type": "null"}],
            },
        },
        "required": ["image"],
    }


SCHEMAS: dict[str, Schema] = {
    "Prediction": _object(PREDICTION),
    "Answer": _object(
        PREDICTION
        | {
            "id": _said({"type": ["string", "null"], "format": "uuid"}, "null: it was not saved."),
            "saved": _said(YES_OR_NO, "Whether it is in the log."),
        }
    ),
    "Page": _object(
        {
            "items": _list(_reference("Prediction"), maxItems=MAX_LIMIT),
            "next": _said(_or_null(TEXT), "The cursor of the next page; null: this was the last."),
        }
    ),
    "Strokes": {
        "type": "object",
        "properties": {
            "size": _said(LENGTH, "The side of the slate, in the unit of widths and points."),
            "strokes": _list(_reference("Stroke"), maxItems=MAX_STROKES),
        },
        "required": ["size", "strokes"],
    },
    "Stroke": STROKE,
    "Point": {
        "description": "x, y (downwards), and the pressure where it is known.",
        "type": "array",
        "prefixItems": [COORDINATE, COORDINATE, SHARE],
        "minItems": 2,
        "maxItems": 3,
    },
    "Label": {
        "type": "object",
        "properties": {
            "label": {"enum": [*range(10), None], "description": "The right digit; null: it was no digit."}
        },
        "required": ["label"],
    },
    "Nothing": _said({"type": "object"}, "An object; nothing in it matters."),
    "Opinions": _object(
        {
            "items": _list(
                _object(
                    {
                        "model": TEXT,
                        "model_version": TEXT,
                        "digit": DIGIT,
                        "confidence": _or_null(SHARE),
                        "not_a_digit": _or_null(SHARE),
                        "probabilities": PROBABILITIES | {"type": ["array", "null"]},
                        "milliseconds": {"type": "number", "minimum": 0},
                        "error": _said(_or_null(TEXT), "Why there is no answer."),
                    }
                )
            )
        }
    ),
    "Networks": _object(
        {
            "items": _list(
                _object(
                    {
                        "name": TEXT,
                        "title": TEXT,
                        "version": TEXT,
                        "parameters": {"type": ["integer", "null"], "minimum": 0},
                        "default": YES_OR_NO,
                    }
                )
            )
        }
    ),
    "Error": _object(
        {
            "error": {
                "type": "object",
                "properties": {
                    "code": _said(TEXT, "For programs."),
                    "message": _said(TEXT, "One sentence for a person."),
                    "request_id": _said(TEXT, "Where the server is to blame: what to tell its operator."),
                },
                "required": ["code", "message"],
                "additionalProperties": False,
            }
        }
    ),
}

LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
CURSOR: Schema = {"type": "string", "format": "cursor"}
IDEMPOTENCY_KEY: Schema = {
    "type": "string",
    "minLength": 16,
    "maxLength": 255,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}
