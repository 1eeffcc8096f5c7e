"""My drawings: the table of the visitor's own predictions, their download, and their deletion."""

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction
from mnistweb.draw.own_export import own_batches, own_lines
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.challenges import count_own_challenges, own_challenges
from mnistweb.predictions.feedback import accuracy
from mnistweb.predictions.store import count_own, delete_all_own, delete_own
from mnistweb.proportion import Proportion
from mnistweb.web.downloads import begin, download
from mnistweb.web.fragments import is_fragment
from mnistweb.web.visitors import current_visitor, known_visitor

blueprint = Blueprint("my_drawings", __name__, url_prefix="/predictions")
ROWS_PER_PAGE = 50
UNAVAILABLE = {"own": [], "accuracy": Proportion(0, 0), "unavailable": True}
"""Context of `_my_drawings.html` while the database cannot be reached."""


def my_drawings_context(older: str | None) -> dict[str, Any]:
    """Return the context of `_my_drawings.html`: predictions from a cursor on, and the accuracy of all.

    Returns UNAVAILABLE if the database cannot be reached. Raises UserError (invalid_cursor).
    """
    visitor = current_visitor()
    try:
        page = queries.page([Prediction.visitor == visitor], older, ROWS_PER_PAGE)
        share = accuracy(visitor)
    except DATABASE_ERRORS:
        db.session.rollback()
        return UNAVAILABLE
    return {"own": page.items, "older": older, "next": page.next, "accuracy": share}


@blueprint.post("/<uuid:prediction_id>/delete")
def delete(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Delete one of the visitor's own drawings."""
    delete_own(prediction_id, current_visitor())
    if is_fragment():
        return render_template("draw/_accuracy.html", accuracy=accuracy(current_visitor()))
    return _show_remaining()


@blueprint.get("/mine.jsonl")
def download_all() -> Response:
    """Send all of the visitor's own drawings as JSON lines, with pictures and strokes; then challenges."""
    batches = begin(own_batches(known_visitor()))
    lines = own_lines(batches, own_challenges(known_visitor()))
    return download(lines, "my-drawings.jsonl", "application/x-ndjson")


@blueprint.get("/delete")
def confirm_deletion() -> str:
    """Ask once whether to delete all of the visitor's own drawings, and say how many they are."""
    visitor = known_visitor()
    return render_template(
        "draw/delete_all.html", number=count_own(visitor), rounds=count_own_challenges(visitor)
    )


@blueprint.post("/delete")
def delete_all() -> ResponseReturnValue:
    """Delete all of the visitor's own drawings and challenges."""
    delete_all_own(current_visitor())
    return _show_remaining()


def _show_remaining() -> ResponseReturnValue:
    return redirect(url_for("draw.index", older=request.args.get("older"), _anchor="own"), 303)
