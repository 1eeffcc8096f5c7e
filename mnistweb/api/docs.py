"""The description of the API: OpenAPI for programs, a page for people."""

import json
import re
from typing import Annotated, Any

from flask import Blueprint, render_template

from mnistweb.api.openapi import VERSION, current_description
from mnistweb.api.operations import response

blueprint = Blueprint("docs", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@response(Annotated[dict, {"examples": [{"openapi": VERSION}]}], 200, "This description.")
def as_json() -> dict[str, Any]:
    """Get this description in OpenAPI 3.1."""
    return current_description()


@blueprint.get("/docs")
@response(str, 200, "This description.", mimetype="text/html")
def as_page() -> str:
    """Get this description as a page."""
    return render_template("api/docs.html", api=current_description(), pretty=_pretty)


def _pretty(example: object) -> str:
    text = json.dumps(example, indent=2, sort_keys=True)
    return re.sub(r"\[[^][{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)
