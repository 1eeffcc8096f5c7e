"""The JSON face, under /api/v1/. It demands application/json, which is why it needs no CSRF token."""

import json
import uuid
from typing import Any

from flask import Blueprint, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnsupportedMediaType

from mnistweb.database.models import Source
from mnistweb.predictions import queries as log
from mnistweb.predictions import service as predictions
from mnistweb.predictions.comparison import Opinion, compare
from mnistweb.predictions.deletion import delete_own
from mnistweb.predictions.serializers import item
from mnistweb.predictions.service import PredictionError
from mnistweb.predictions.strokes import check_strokes
from mnistweb.recognition.decoding import DrawingError, decode_base64_image
from mnistweb.registry.recognizers import choices, zoo
from mnistweb.web.access import requested_filter, visible, visible_prediction
from mnistweb.web.request_args import requested_cursor, requested_key, requested_limit
from mnistweb.web.visitors import current_visitor

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/predictions")
def predict() -> ResponseReturnValue:
    """Recognise `image` (a data URL or bare base64) with the network `model`; keep it with its `strokes`."""
    body = _body()
    image = body.get("image")
    if not isinstance(image, str):
        raise DrawingError("missing_image", "There is no picture to read.")
    key = requested_key()
    prediction = predictions.recognise_and_save(
        decode_base64_image(image, current_app.config["MAX_IMAGE_BYTES"]),
        visitor=current_visitor(key),
        source=Source.API,
        model=_model(body.get("model")),
        strokes=_strokes(body.get("strokes")),
        key=key,
    )
    if not prediction.saved:
        return jsonify(item(prediction) | {"id": None, "saved": False}), 200
    location = url_for("api.show", prediction_id=prediction.id)
    status = 200 if prediction.repeated else 201
    return jsonify(item(prediction) | {"saved": True}), status, {"Location": location}


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
def feedback(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Take the right digit: `label`, 0..9, or null for what is no digit."""
    body = _body()
    label = body.get("label", "")
    if isinstance(label, float) and label.is_integer():
        label = int(label)  # 3.0 is 3 in JSON
    # `True` is an int to Python, not a digit.
    if label is not None and (isinstance(label, bool) or not isinstance(label, int)):
        raise PredictionError("invalid_label", "The label must be a number from 0 to 9, or null.")
    return jsonify(item(predictions.give_feedback(prediction_id, current_visitor(), label)))


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
def comparison(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """What every network says of one of the visitor's own drawings; nothing of it is logged."""
    _body()
    prediction = predictions.get(prediction_id, current_visitor())
    return jsonify(items=[_opinion(opinion) for opinion in compare(prediction)])


@blueprint.get("/predictions")
def listing() -> ResponseReturnValue:
    """The logged predictions that the filter asks for, newest first."""
    page = log.page(visible(requested_filter()), requested_cursor(), requested_limit())
    return jsonify(items=[item(prediction) for prediction in page.items], next=page.next)


@blueprint.get("/predictions/<uuid:prediction_id>")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """One logged prediction."""
    return jsonify(item(visible_prediction(prediction_id)))


@blueprint.delete("/predictions/<uuid:prediction_id>")
def delete(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Delete one of the visitor's own predictions, its drawing included."""
    # No other site's page can send this in the visitor's name: browsers ask first, and get no leave.
    delete_own(prediction_id, current_visitor())
    return "", 204


@blueprint.get("/models")
def models() -> ResponseReturnValue:
    """The networks that a request can name."""
    default = zoo().get().card.name
    return jsonify(
        items=[
            {
                "name": card.name,
                "title": card.title,
                "version": card.version,
                "parameters": card.parameters,
                "default": card.name == default,
            }
            for card in choices()
        ]
    )


def _body() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise PredictionError("invalid_json", "The body of the request is not a JSON object.")
    return body


def _model(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise PredictionError("unknown_model", "There is no network of that name.")
    return value


def _strokes(value: object) -> dict[str, Any] | None:
    try:
        return None if value is None else check_strokes(value)
    except ValueError as error:
        raise PredictionError("invalid_strokes", f"The strokes cannot be read: {error}.") from None


def _opinion(opinion: Opinion) -> dict[str, Any]:
    answer = opinion.answer
    return {
        "model": opinion.card.name,
        "model_version": opinion.card.version,
        "digit": answer and answer.digit,
        "confidence": answer and answer.confidence,
        "not_a_digit": answer and answer.not_a_digit,
        "probabilities": answer and answer.probabilities,
        "milliseconds": opinion.milliseconds,
        "error": opinion.failure,
    }
