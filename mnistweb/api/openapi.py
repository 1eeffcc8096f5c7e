"""The OpenAPI description, made from the routes and from the declarations on their views."""

import re
from collections import defaultdict
from importlib.metadata import version
from inspect import getdoc
from typing import Any, cast

from flask import Flask, current_app
from werkzeug.routing import Rule

from mnistweb.api.json_schema import Components, Schema
from mnistweb.api.operations import JSON, Operation, Response, operation
from mnistweb.api.schemas import Error
from mnistweb.predictions.serializers import ID
from mnistweb.web.error_handlers import DATABASE_ERROR, HTTP_ERRORS, STATUS
from mnistweb.web.rate_limits import ENDPOINTS

VERSION = "3.1.0"
PREFIX = "/api/v1/"
KEY = "mnistweb-openapi"
DESCRIPTION = """\
Send a picture of a digit, get the reading; every reading is stored. The answer to a first drawing sets the
cookie `visitor`, over TLS `__Host-visitor`. Send it back to give feedback, to delete, to compare, and for
`mine`. Every response has a header `X-Request-ID`: yours, if you sent one."""
LIMITED = {endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints}


def description(app: Flask) -> dict[str, Any]:
    """Return the description as a JSON object.

    Raises LookupError for a route whose view declares no response, or a field without examples.
    """
    components = Components()
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            method = ((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop().lower()
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            paths[path][method] = _operation(app, rule, components)
    return {
        "openapi": VERSION,
        "info": {
            "title": "mnistweb",
            "version": version("mnistweb"),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": components.schemas},
    }


def current_description() -> dict[str, Any]:
    """Return the description of the current application, which is made once."""
    if KEY not in current_app.extensions:
        current_app.extensions[KEY] = description(current_app)
    return cast(dict[str, Any], current_app.extensions[KEY])


def _operation(app: Flask, rule: Rule, components: Components) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    declared = operation(view)
    if not declared.responses:
        raise LookupError(f"{rule.endpoint} declares no response")
    described: dict[str, Any] = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": getdoc(view),
        "parameters": [*_path_parameters(rule), *_parameters(declared)],
    }
    if declared.body:
        described["requestBody"] = {
            "required": True,
            "content": _content(declared.body, components, closed=False),
        }
    described["responses"] = {
        **{str(status): _response(each, components) for status, each in sorted(declared.responses.items())},
        **_errors(rule, declared, components),
    }
    return described


def _path_parameters(rule: Rule) -> list[Schema]:
    schema = {"type": "string"} | ID
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in sorted(rule.arguments)
    ]


def _parameters(declared: Operation) -> list[Schema]:
    return [
        {
            "name": name,
            "in": group.place,
            **({"required": True} if group.required else {}),
            "description": schema["description"],
            "schema": {keyword: value for keyword, value in schema.items() if keyword != "description"},
        }
        for group in declared.parameters
        for name, schema in group.schemas.items()
    ]


def _content(hint: Any, components: Components, *, closed: bool) -> Schema:
    schema = components.schema(hint, closed=closed)
    return {JSON: {"schema": schema, "example": components.sample(schema)}}


def _response(declared: Response, components: Components) -> Schema:
    described: Schema = {"description": declared.description}
    if declared.mimetype != JSON:
        described["content"] = {
            declared.mimetype: {"schema": components.schema(declared.content, closed=True)}
        }
    elif declared.content is not None:
        described["content"] = _content(declared.content, components, closed=True)
        described["content"][JSON]["example"].update(declared.example)
    if declared.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in declared.headers.items()
        }
    return described


def _errors(rule: Rule, declared: Operation, components: Components) -> dict[str, Schema]:
    codes: defaultdict[int, dict[str, None]] = defaultdict(dict)  # each in order, once
    for code in [*(["not_found"] if rule.arguments else []), *declared.errors]:
        codes[STATUS[code]][code] = None
    for status in (400, *([429] if rule.endpoint in LIMITED else []), 500, 503):
        codes[status][HTTP_ERRORS[status][0]] = None
    codes[400]["untrusted_host"] = None
    codes[503][DATABASE_ERROR[0]] = None
    return {str(status): _error(list(codes[status]), components) for status in sorted(codes)}


def _error(codes: list[str], components: Components) -> Schema:
    code = {"properties": {"code": {"enum": codes}}}
    schema = components.schema(Error, closed=True) | {"properties": {"error": code}}
    return {"description": f"`{'`, `'.join(codes)}`", "content": {JSON: {"schema": schema}}}
