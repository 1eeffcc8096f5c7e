"""The description of the API: its routes and sentences from the code, what they take and give from here."""

import re
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from inspect import getdoc
from typing import Any, cast

from apispec import APISpec
from flask import Flask, current_app
from werkzeug.routing import Rule

from mnistweb.api.schemas import CURSOR, IDEMPOTENCY_KEY, LIMIT, SCHEMAS, Schema, drawing
from mnistweb.predictions.filters import DIGITS, FIELDS, SOURCES, VERDICTS
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.error_handlers import DATABASE_ERROR, HTTP_ERRORS, STATUS
from mnistweb.web.rate_limits import ENDPOINTS

PREFIX = "/api/v1/"
KEY = "mnistweb-openapi"
DESCRIPTION = """\
Drawn digits are read, and what they were taken for is kept. Visitors are told apart by the cookie
`visitor`, which comes with the answer to a first drawing: send it with feedback, to delete,
to compare, and for `mine`. Every answer has a header `X-Request-ID`, the request's where that has one."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the code of a route does not say: the schemas of body and answers by status, and the errors."""

    answers: dict[int, str | None]
    errors: tuple[str, ...] = ()
    body: str | None = None
    parameters: tuple[Schema, ...] = ()


def _parameter(name: str, schema: Schema, description: str, place: str = "query") -> Schema:
    return {"name": name, "in": place, "schema": schema, "description": description}


def _filters() -> tuple[Schema, ...]:
    schemas: dict[str, Schema] = {
        "mine": {"enum": ["1", ""]},
        "digit": {"enum": [*DIGITS, ""]},
        "label": {"enum": [*DIGITS, ""]},
        "verdict": {"enum": [*map(str, VERDICTS), ""]},
        "refused": {"enum": ["1", ""]},
        "source": {"enum": [*map(str, SOURCES), ""]},
        "from": {"anyOf": [{"format": "date"}, {"const": ""}]},
        "to": {"anyOf": [{"format": "date"}, {"const": ""}]},
        "model": {"maxLength": 64, "pattern": "^[ -~]*$"},
    }
    return tuple(
        _parameter(
            field.key, {"type": "string"} | schemas[field.key], f"Only those with this: {field.range}."
        )
        for field in FIELDS.values()
    )


IMAGE_ERRORS = (
    "missing_image",
    "not_base64",
    "unreadable_image",
    "too_many_pixels",
    "animated_image",
    "empty_drawing",
)
MODEL_ERRORS = tuple(code for code, status in STATUS.items() if code.startswith("model_") and status == 503)
BODY_ERRORS = ("invalid_json", "unsupported_media_type", "image_too_large")
REPEATABLE = _parameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY,
    "Makes it safe to send this again: random, and as secret as a password.",
    "header",
)
OPERATIONS = {
    "api.predict": Described(
        {201: "Answer", 200: "Answer"},
        (
            *BODY_ERRORS,
            *IMAGE_ERRORS,
            *MODEL_ERRORS,
            "unknown_model",
            "invalid_strokes",
            "invalid_idempotency_key",
            "idempotency_key_reused",
        ),
        body="Drawing",
        parameters=(REPEATABLE,),
    ),
    "api.feedback": Described(
        {200: "Prediction"}, (*BODY_ERRORS, "not_found", "invalid_label"), body="Label"
    ),
    "api.comparison": Described({200: "Opinions"}, (*BODY_ERRORS, "not_found"), body="Nothing"),
    "api.listing": Described(
        {200: "Page"},
        ("invalid_filter", "invalid_limit", "invalid_cursor", "not_found"),
        parameters=(
            _parameter("limit", LIMIT, "How many, at most."),
            _parameter("cursor", CURSOR, "Where the page starts: `next` of the one before."),
            *_filters(),
        ),
    ),
    "api.show": Described({200: "Prediction"}, ("not_found",)),
    "api.delete": Described({204: None}, ("not_found",)),
    "api.models": Described({200: "Networks"}),
    "docs.as_json": Described({200: ""}),
    "docs.as_page": Described({200: None}),
}
TITLES = {200: "Done", 201: "Read and saved", 204: "Gone"}
LIMITED = {endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints}


def description(app: Flask) -> dict[str, Any]:
    """The API in OpenAPI 3.1, as a JSON object. Raises KeyError for a route that is not described."""
    spec = APISpec(
        title="mnistweb",
        version=version("mnistweb"),
        openapi_version="3.1.0",
        info={"description": DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"}},
    )
    drawn = drawing([card.name for card in model_cards()])
    for name, schema in (SCHEMAS | {"Drawing": drawn}).items():
        spec.components.schema(name, schema)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            spec.path(_path(rule), operations=_operations(app, rule))
    return spec.to_dict()


def current_description() -> dict[str, Any]:
    """That of the current application, made once."""
    if KEY not in current_app.extensions:
        current_app.extensions[KEY] = description(current_app)
    return cast(dict[str, Any], current_app.extensions[KEY])


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _operations(app: Flask, rule: Rule) -> dict[str, Any]:
    described = OPERATIONS[rule.endpoint]
    summary = getdoc(app.view_functions[rule.endpoint]) or ""
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": summary.replace("`", ""),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
            for name in sorted(rule.arguments)
        ]
        + list(described.parameters),
        "responses": {
            **{str(status): _answer(status, name) for status, name in described.answers.items()},
            **_errors(rule.endpoint, described.errors),
        },
    }
    if described.body:
        operation["requestBody"] = {"required": True, "content": _json(described.body)}
    return {method.lower(): operation for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def _json(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"} if name else {"type": "object"}
    return {"application/json": {"schema": schema}}


def _answer(status: int, name: str | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": TITLES[status]}
    if name is not None:
        answer["content"] = _json(name)
    elif status == 200:
        answer["content"] = {"text/html": {"schema": {"type": "string"}}}
    if status == 201:
        answer["headers"] = {"Location": {"description": "Where it is found.", "schema": {"type": "string"}}}
    return answer


def _errors(endpoint: str, codes: tuple[str, ...]) -> dict[str, Any]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for code in codes:
        found[STATUS[code]].append(code)
    for status in (400, *([429] if endpoint in LIMITED else []), 500, 503):
        found[status].append(HTTP_ERRORS[status][0])
    found[503].append(DATABASE_ERROR[0])
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: `{'`, `'.join(dict.fromkeys(found[status]))}`",
            "content": _json("Error"),
        }
        for status in sorted(found)
    }
