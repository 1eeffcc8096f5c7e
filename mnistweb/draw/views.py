"""The page with the slate: plain forms, and the fragments the page's script swaps in."""

import uuid

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction, Source
from mnistweb.draw.my_drawings import AWAY, own_table
from mnistweb.extensions import db
from mnistweb.predictions.comparison import ComparisonResult, compare
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.feedback import give_feedback, label_from_form
from mnistweb.predictions.idempotency import requested_key
from mnistweb.predictions.images import input_png
from mnistweb.predictions.queries import get
from mnistweb.predictions.service import recognize_and_save
from mnistweb.predictions.strokes import strokes_from_form
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.png import data_url
from mnistweb.registry.recognizers import model_cards, zoo
from mnistweb.web.fragments import is_fragment
from mnistweb.web.request_args import uploaded_bytes
from mnistweb.web.visitors import current_visitor

blueprint = Blueprint("draw", __name__)
CHOSEN = "network"  # the cookie that keeps the visitor's choice, written by static/js/lib/model-choice.js


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The slate, the answer that `?answer=` names, and the visitor's own drawings."""
    return _render_index(_own_answer(request.args.get("answer", "")))


@blueprint.post("/predictions")
def predict() -> ResponseReturnValue:
    """Recognize a drawing from the slate (`image`, a data URL) or an uploaded `file`."""
    file = request.files.get("file")
    if file:
        source, data = Source.UPLOAD, uploaded_bytes(file)
    else:
        source = Source.SLATE
        data = decode_base64_image(request.form.get("image", ""), current_app.config["MAX_IMAGE_BYTES"])
    prediction = recognize_and_save(
        data,
        visitor=current_visitor(),
        source=source,
        model=request.form.get("model") or None,
        strokes=strokes_from_form(request.form.get("strokes", "")),
        key=requested_key(),
    )
    if not prediction.saved:
        # The database is away: the answer is all there is to show. Its template says that it was not saved.
        pictures = {"seen": data_url(input_png(prediction)), "drawn": data_url(prediction.drawing)}
        if is_fragment():
            return render_template("draw/_answer.html", answer=prediction, **pictures)
        return _render_index(prediction, **pictures)
    return _show(prediction, 200 if prediction.repeated else 201)


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
def feedback(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Take the right digit, `label`, for one of the visitor's own predictions."""
    label = label_from_form(request.form.get("label", "").strip())
    return _show(give_feedback(prediction_id, current_visitor(), label), 200)


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
def comparison(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """What every network, or each that `model` names, says of one of the visitor's own drawings."""
    prediction = get(prediction_id, current_visitor())
    opinions = compare(prediction, request.form.getlist("model"))
    template = "draw/_comparison.html" if is_fragment() else "draw/comparison.html"
    return render_template(template, answer=prediction, opinions=opinions)


@blueprint.context_processor
def _networks() -> dict[str, object]:
    return {"models": model_cards()}


def _own_answer(text: str) -> Prediction | None:
    # An address that someone passed on shows the page without the answer, which is its author's.
    try:
        return get(uuid.UUID(text), current_visitor())
    except (ValueError, NotFound):
        return None
    except DATABASE_ERRORS:
        db.session.rollback()
        return None


def _show(prediction: Prediction, status: int) -> ResponseReturnValue:
    if not is_fragment():
        if request.args.get("back") == "prediction":
            return redirect(url_for("prediction.show", prediction_id=prediction.id, _anchor="answer"), 303)
        return redirect(url_for("draw.index", answer=prediction.id), 303)
    own = own_table()
    parts = (
        render_template("draw/_answer.html", answer=prediction, **own),
        render_template("draw/_my_drawings.html", **own),
    )
    return "\n".join(parts), status


def _render_index(answer: Prediction | None, **pictures: str) -> str:
    own = own_table() if answer is None or answer.saved else AWAY
    blank = [ComparisonResult(card) for card in model_cards()]
    return render_template(
        "draw/index.html", answer=answer, model=_chosen(answer), blank=blank, **own, **pictures
    )


def _chosen(answer: Prediction | None) -> str:
    # Without a script the network that answered is the one that was chosen last.
    chosen = (request.values.get("model"), request.cookies.get(CHOSEN), answer and answer.model)
    names = [card.name for card in model_cards()]
    return next((name for name in chosen if name in names), zoo().get().card.name)
