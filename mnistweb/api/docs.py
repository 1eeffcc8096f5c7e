"""The description of the API, for programs and for people."""

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from mnistweb.api.openapi import current_description

blueprint = Blueprint("docs", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
def as_json() -> ResponseReturnValue:
    """This description, in OpenAPI 3.1."""
    return jsonify(current_description())


@blueprint.get("/docs")
def as_page() -> ResponseReturnValue:
    """This description, as a page."""
    return render_template("api.html", api=current_description())
