"""The visitor's own drawings, in the table under the slate: shown, and deleted."""

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.feedback import accuracy
from mnistweb.predictions.store import delete_all_own, delete_own
from mnistweb.proportion import Proportion
from mnistweb.web.fragments import is_fragment
from mnistweb.web.visitors import current_visitor

blueprint = Blueprint("my_drawings", __name__, url_prefix="/predictions")
ROWS = 50
AWAY = {"own": [], "accuracy": Proportion(0, 0), "away": True}
"""What `_my_drawings.html` shows while the database is away."""


def own_table() -> dict[str, Any]:
    """What `_my_drawings.html` shows: the latest drawings, or those after `?older=`, and the accuracy of all.

    While the database is away, that it is.
    """
    visitor = current_visitor()
    older = request.args.get("older") or None
    try:
        page = queries.page([Prediction.visitor == visitor], older, ROWS)
        correct = accuracy(visitor)
    except DATABASE_ERRORS:
        db.session.rollback()
        return AWAY
    return {"own": page.items, "older": older, "next": page.next, "accuracy": correct}


@blueprint.post("/<uuid:prediction_id>/delete")
def delete(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Delete one of the visitor's own drawings."""
    delete_own(prediction_id, current_visitor())
    return _show_what_is_left()


@blueprint.post("/delete")
def delete_all() -> ResponseReturnValue:
    """Delete all of the visitor's drawings."""
    delete_all_own(current_visitor())
    return _show_what_is_left()


def _show_what_is_left() -> ResponseReturnValue:
    if is_fragment():
        return render_template("draw/_my_drawings.html", **own_table())
    return redirect(url_for("draw.index", older=request.args.get("older"), _anchor="own"), 303)
