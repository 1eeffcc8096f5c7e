"""The drawing page: plain forms, and the fragments that the page's script replaces."""

import uuid

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction, Source
from mnistweb.draw.my_drawings import UNAVAILABLE, my_drawings_context
from mnistweb.extensions import db
from mnistweb.predictions.comparison import ComparisonResult, compare
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.feedback import accuracy, check_judged, give_feedback, label_from_form
from mnistweb.predictions.idempotency import requested_key
from mnistweb.predictions.images import input_png
from mnistweb.predictions.queries import get
from mnistweb.predictions.service import recognize_and_save
from mnistweb.predictions.strokes import strokes_from_form
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.png import data_url
from mnistweb.registry.recognizers import model_cards, zoo
from mnistweb.web.access import visible_prediction
from mnistweb.web.error_handlers import STATUS, respond
from mnistweb.web.fragments import is_fragment, wants_json
from mnistweb.web.request_args import form_fields, uploaded_bytes, uploaded_file
from mnistweb.web.visitors import current_visitor, known_visitor

blueprint = Blueprint("draw", __name__)
MODEL_COOKIE = "network"  # the name of the chosen model, set by static/js/lib/model-choice.js


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the slate, the prediction `?answer=`, and the visitor's own drawings.

    The page's script asks for the answer alone, and gets it with its row in the table. A prediction of
    another visitor has a page of its own, to which this redirects.
    """
    if is_fragment():
        return _render_changes(get(_answer_id(), current_visitor()))
    answer, gone = _requested_answer()
    if answer is not None and answer.visitor != known_visitor():
        response = redirect(url_for("prediction.show", prediction_id=answer.id))
        response.headers["Cache-Control"] = "no-store"  # its author gets this page instead
        return response
    return _render_index(answer, older=request.args.get("older") or None, gone=gone)


@blueprint.post("/predictions")
def predict() -> ResponseReturnValue:
    """Recognize a drawing from the slate (`image`, a data URL) or an uploaded `file`."""
    fields = form_fields()
    if file := uploaded_file():
        source, data = Source.UPLOAD, uploaded_bytes(file)
    else:
        source = Source.SLATE
        data = decode_base64_image(fields.get("image", ""), current_app.config["MAX_IMAGE_BYTES"])
    prediction = recognize_and_save(
        data,
        visitor=current_visitor(),
        source=source,
        model=fields.get("model") or None,
        strokes=strokes_from_form(fields.get("strokes", "")),
        key=requested_key(),
    )
    if not prediction.saved:
        # Without the database there is only the answer to show; its template adds that it was not saved.
        seen = data_url(input_png(prediction))
        if is_fragment():
            return render_template("draw/_answer.html", answer=prediction, seen=seen, fragment=True)
        return _render_index(prediction, seen=seen, drawn=data_url(prediction.drawing))
    return _show(prediction, 200 if prediction.repeated else 201)


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
def feedback(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Record the true digit, `label`, of one of the visitor's own predictions; `prediction` is its id."""
    check_judged(prediction_id, request.form.get("prediction"))
    label = label_from_form(request.form.get("label", "").strip())
    return _show(give_feedback(prediction_id, current_visitor(), label), 200)


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
def comparison(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Compare the answers of all models, or of each `model` field, to one drawing."""
    prediction = visible_prediction(prediction_id)
    others = prediction.visitor != known_visitor()
    results = compare(prediction, request.form.getlist("model"))
    template = "draw/_comparison.html" if is_fragment() else "draw/comparison.html"
    return render_template(template, answer=prediction, results=results, others=others)


@blueprint.errorhandler(DrawingError)
def refuse(error: DrawingError) -> ResponseReturnValue:
    """Show a picture's error in the form again; alone if the page's script or a program asks."""
    status = STATUS[error.code]
    if is_fragment() or wants_json():
        return respond(error.code, str(error), status)
    g.error_code = error.code
    return _render_index(None, code=error.code, message=str(error), status=status), status


@blueprint.context_processor
def _models() -> dict[str, object]:
    return {"models": model_cards()}


def _answer_id() -> uuid.UUID:
    try:
        return uuid.UUID(request.args.get("answer", ""))
    except ValueError:
        raise NotFound from None


def _requested_answer() -> tuple[Prediction | None, bool]:
    """Return the prediction `?answer=`, and whether the visitor asks for one that they can't see."""
    if not request.args.get("answer"):
        return None, False
    try:
        return visible_prediction(_answer_id()), False
    except NotFound:
        return None, True
    except DATABASE_ERRORS:
        db.session.rollback()
        return None, False


def _show(prediction: Prediction, status: int) -> ResponseReturnValue:
    if not is_fragment():
        if request.args.get("back") == "prediction":
            return redirect(url_for("prediction.show", prediction_id=prediction.id, _anchor="answer"), 303)
        return redirect(url_for("draw.index", answer=prediction.id), 303)
    return _render_changes(prediction), status


def _render_changes(prediction: Prediction) -> str:
    # With the picture that the model saw, so that showing the answer takes no further request. Without a
    # label, a prediction leaves the accuracy as it is.
    return render_template(
        "draw/_changes.html",
        answer=prediction,
        accuracy=accuracy(prediction.visitor) if prediction.labelled else None,
        older=request.args.get("older") or None,
        seen=data_url(input_png(prediction)),
        fragment=True,
    )


def _render_index(answer: Prediction | None, older: str | None = None, **context: object) -> str:
    own = my_drawings_context(older) if answer is None or answer.saved else UNAVAILABLE
    blank = [ComparisonResult(card) for card in model_cards()]
    return render_template(
        "draw/index.html", answer=answer, model=_chosen_model(answer), blank=blank, **own, **context
    )


def _chosen_model(answer: Prediction | None) -> str:
    # Without JavaScript there is no cookie, but the model that answered was the last choice.
    choices = (request.values.get("model"), request.cookies.get(MODEL_COOKIE), answer and answer.model)
    names = [card.name for card in model_cards()]
    return next((name for name in choices if name in names), zoo().default)
