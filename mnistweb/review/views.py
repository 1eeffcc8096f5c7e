"""The review: a grid of drawings, the most doubtful first, on which reviewers decide."""

import uuid
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.models import Prediction
from mnistweb.predictions import moderation, queries, review
from mnistweb.predictions.filter_fields import DIGITS
from mnistweb.predictions.images import drawing_png
from mnistweb.predictions.review import Decided
from mnistweb.predictions.review_queue import Part, reviewed_count
from mnistweb.predictions.reviewed_labels import REJECTED, ReviewedLabel
from mnistweb.review import session
from mnistweb.review.choice import Chosen, chosen_drawings, kept, requested_queue
from mnistweb.review.outcome import NOTHING_CHOSEN, Message, Outcome, parse_moment
from mnistweb.review.tiles import make_tiles
from mnistweb.web.fragments import is_fragment
from mnistweb.web.request_args import requested_cursor, requested_limit

blueprint = Blueprint("review", __name__, url_prefix="/review")
session.protect(blueprint)
DEFAULT_TILES = 48
ACCEPT, HIDE = "accept", "hide"
PARTS = {
    Part.DISTRUSTED: "Distrusted authors",
    Part.CLAIMS: "Author disagrees",
    Part.PROMPTED: "Prompt misread",
    Part.DOUBTFUL: "In doubt",
    Part.REFUSED: "Refused",
    Part.REST: "The rest",
}


@blueprint.get("")
def index() -> str:
    """Show the drawings that wait for a review and meet the filter."""
    queue, given = requested_queue()
    page = queue.page(requested_cursor(), requested_limit(DEFAULT_TILES), Prediction.input)
    return render_template(
        "review/index.html",
        tiles=make_tiles(page.items),
        next=page.next,
        kept=given,
        author_gone=request.args.get("author") and "author" not in given,
        counts=queue.counts(),
        parts=PARTS,
        reviewed=reviewed_count(),
        done=_message(),
        digits=DIGITS,
    )


@blueprint.post("/decide")
def decide() -> ResponseReturnValue:
    """Decide on the chosen drawings, and show what became of them."""
    chosen, decision = chosen_drawings(), request.form.get("decision", "")
    if not chosen:
        return _show_queue({"nothing": "1"})
    labels = {each.id: _label(decision, each) for each in chosen}
    seen = {each.id: each.seen for each in chosen}
    decided = review.decide_each(labels, session.reviewer(), seen, hide=decision == HIDE)
    return _respond(decided, Outcome(decided.moment, missed=len(labels) - len(decided.ids)))


@blueprint.post("/undo")
def undo() -> ResponseReturnValue:
    """Take back what the reviewer decided at a moment."""
    reviewer = session.reviewer()
    decisions = review.decisions_at(parse_moment(request.form.get("moment", "")), reviewer)
    # A page of an earlier version says that it hid them: those decisions remember no moderation.
    forgetful = {each.prediction_id for each in decisions if request.form.get("hidden") and not each.review}
    taken_back = review.take_back(decisions, reviewer)
    moderation.unhide(taken_back.ids & forgetful)
    missed = len(decisions) - len(taken_back.ids)
    return _respond(taken_back, Outcome(taken_back.moment, missed, undone=True))


@blueprint.get("/<uuid:prediction_id>/drawing.png")
def drawing(prediction_id: uuid.UUID) -> Response:
    """Send any drawing as a PNG, also one that is not public."""
    return Response(drawing_png(queries.get(prediction_id)), mimetype="image/png")


def _label(decision: str, chosen: Chosen) -> ReviewedLabel:
    if decision == ACCEPT:
        return chosen.accepts
    return REJECTED if decision == HIDE else ReviewedLabel.parse(decision)


def _respond(decided: Decided, outcome: Outcome) -> ResponseReturnValue:
    if not is_fragment():
        return _show_queue(outcome.query())
    message = outcome.message(session.reviewer())
    return render_template("review/_done.html", done=message, labels=review.labels_of(decided.ids))


def _show_queue(parameters: dict[str, str]) -> ResponseReturnValue:
    return redirect(f"{url_for('.index')}?{urlencode(parameters | kept(request.form))}", 303)


def _message() -> Message | None:
    """Return what the page says of the last action, which its address names."""
    if request.args.get("nothing"):
        return NOTHING_CHOSEN
    outcome = Outcome.parse(request.args)
    return outcome.message(session.reviewer()) if outcome else None
