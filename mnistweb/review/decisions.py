"""The page of decisions: who decided what, when, and from what."""

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.predictions import review, review_log
from mnistweb.predictions.reviewed_labels import label_before, label_of
from mnistweb.review import session
from mnistweb.web.request_args import requested_cursor, requested_limit

blueprint = Blueprint("review_decisions", __name__, url_prefix="/review/decisions")
session.protect(blueprint)


@blueprint.get("")
def index() -> str:
    """Show the decisions, newest first, of all reviewers or of the one in `?by=`."""
    by = request.args.get("by") or None
    return render_template(
        "review/decisions.html",
        page=review_log.page(by, requested_cursor(), requested_limit()),
        by=by,
        reviewers=review_log.reviewers(),
        kept={name: request.args[name] for name in ("by", "limit") if request.args.get(name)},
        label_of=label_of,
        label_before=label_before,
    )


@blueprint.post("/<uuid:decision_id>/undo")
def undo(decision_id: uuid.UUID) -> ResponseReturnValue:
    """Take back one decision, if it is still in force."""
    review.take_back([review_log.get(decision_id)], session.reviewer())
    return redirect(url_for(".index", by=request.form.get("by") or None), 303)
