"""The HTML face: pages that work as plain forms, and the fragments that the page's script swaps in."""

import json
import uuid

import numpy as np
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mnistweb.database.circuit_breaker import DATABASE_ERRORS
from mnistweb.database.models import Prediction, Source
from mnistweb.draw.my_drawings import AWAY, own_table
from mnistweb.extensions import db
from mnistweb.predictions import service as predictions
from mnistweb.predictions.comparison import Opinion, compare
from mnistweb.predictions.service import NotFound, PredictionError
from mnistweb.predictions.strokes import check_strokes
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.registry.recognizers import choices, zoo
from mnistweb.web.access import visible_prediction
from mnistweb.web.error_handlers import is_fragment
from mnistweb.web.request_args import requested_key, uploaded_bytes
from mnistweb.web.visitors import current_visitor

blueprint = Blueprint("pages", __name__)
CHOSEN = "network"  # the cookie that keeps the visitor's choice, written by static/js/choice.js
LABELS = {str(digit): digit for digit in range(10)} | {"none": None}


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The slate, the answer that `?answer=` names, and the visitor's own drawings."""
    return _render_index(_own_answer(request.args.get("answer", "")))


@blueprint.post("/predictions")
def predict() -> ResponseReturnValue:
    """Recognise a drawing from the slate (`image`, a data URL) or an uploaded `file`."""
    file = request.files.get("file")
    if file:
        source, data = Source.UPLOAD, uploaded_bytes(file)
    else:
        source = Source.SLATE
        data = decode_base64_image(request.form.get("image", ""), current_app.config["MAX_IMAGE_BYTES"])
    prediction = predictions.recognise_and_save(
        data,
        visitor=current_visitor(),
        source=source,
        model=request.form.get("model") or None,
        strokes=_strokes(request.form.get("strokes", "")),
        key=requested_key(),
    )
    if not prediction.saved:
        # The database is away: the answer is all there is to show. Its template says that it was not saved.
        pictures = {"seen": data_url(_seen(prediction)), "drawn": data_url(prediction.drawing)}
        if is_fragment():
            return render_template("_answer.html", answer=prediction, **pictures)
        return _render_index(prediction, **pictures)
    return _show(prediction, 200 if prediction.repeated else 201)


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
def feedback(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Take the right digit, `label`, for one of the visitor's own predictions."""
    text = request.form.get("label", "").strip()
    if text not in LABELS:
        raise PredictionError("invalid_label", "The correct digit must be a number from 0 to 9.")
    return _show(predictions.give_feedback(prediction_id, current_visitor(), LABELS[text]), 200)


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
def comparison(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """What every network, or each that `model` names, says of one of the visitor's own drawings."""
    prediction = predictions.get(prediction_id, current_visitor())
    opinions = compare(prediction, request.form.getlist("model"))
    template = "_comparison.html" if is_fragment() else "comparison.html"
    return render_template(template, answer=prediction, opinions=opinions)


@blueprint.get("/predictions/<uuid:prediction_id>/drawing.png")
def drawing(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """The drawing."""
    return _png(visible_prediction(prediction_id).drawing)


@blueprint.get("/predictions/<uuid:prediction_id>/input.png")
def input_image(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """The 28x28 picture that the network saw."""
    return _png(_seen(visible_prediction(prediction_id)))


@blueprint.context_processor
def _networks() -> dict[str, object]:
    return {"models": choices()}


def _own_answer(text: str) -> Prediction | None:
    # An address that someone passed on shows the page without the answer, which is its author's.
    try:
        return predictions.get(uuid.UUID(text), current_visitor())
    except (ValueError, NotFound):
        return None
    except DATABASE_ERRORS:
        db.session.rollback()
        return None


def _strokes(text: str) -> dict[str, object] | None:
    try:
        return check_strokes(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        raise PredictionError("invalid_strokes", "The strokes of the drawing cannot be read.") from None


def _show(prediction: Prediction, status: int) -> ResponseReturnValue:
    if not is_fragment():
        if request.args.get("back") == "prediction":
            return redirect(url_for("history.show", prediction_id=prediction.id, _anchor="answer"), 303)
        return redirect(url_for("pages.index", answer=prediction.id), 303)
    own = own_table()
    parts = render_template("_answer.html", answer=prediction, **own), render_template("_own.html", **own)
    return "\n".join(parts), status


def _seen(prediction: Prediction) -> bytes:
    return encode_png(np.frombuffer(prediction.input, np.uint8).reshape(28, 28))


def _render_index(answer: Prediction | None, **pictures: str) -> str:
    own = own_table() if answer is None or answer.saved else AWAY
    blank = [Opinion(card) for card in choices()]
    return render_template("index.html", answer=answer, model=_chosen(answer), blank=blank, **own, **pictures)


def _chosen(answer: Prediction | None) -> str:
    # Without a script the network that answered is the one that was chosen last.
    chosen = (request.values.get("model"), request.cookies.get(CHOSEN), answer and answer.model)
    names = [card.name for card in choices()]
    return next((name for name in chosen if name in names), zoo().get().card.name)


def _png(data: bytes) -> Response:
    response = Response(data, mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
