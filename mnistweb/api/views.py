"""The JSON face, under /api/v1/. It demands application/json, which is why it needs no CSRF token."""

import json
import uuid
from typing import Any

from flask import Blueprint, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnsupportedMediaType

from mnistweb.database.models import Source
from mnistweb.predictions import queries
from mnistweb.predictions.comparison import ComparisonResult, compare
from mnistweb.predictions.feedback import give_feedback, label_from_json
from mnistweb.predictions.idempotency import requested_key
from mnistweb.predictions.serializers import serialize
from mnistweb.predictions.service import recognize_and_save
from mnistweb.predictions.store import delete_own
from mnistweb.predictions.strokes import strokes_from_json
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.errors import DrawingError, UserError
from mnistweb.registry.recognizers import model_cards, zoo
from mnistweb.web.access import requested_filter, visible_conditions, visible_prediction
from mnistweb.web.request_args import requested_cursor, requested_limit
from mnistweb.web.visitors import current_visitor

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/predictions")
def predict() -> ResponseReturnValue:
    """Recognize `image` (a data URL or bare base64) with the network `model`; keep it with its `strokes`."""
    body = _body()
    image = body.get("image")
    if not isinstance(image, str):
        raise DrawingError("missing_image", "There is no picture to read.")
    key = requested_key()
    prediction = recognize_and_save(
        decode_base64_image(image, current_app.config["MAX_IMAGE_BYTES"]),
        visitor=current_visitor(key),
        source=Source.API,
        model=_model(body.get("model")),
        strokes=strokes_from_json(body.get("strokes")),
        key=key,
    )
    if not prediction.saved:
        return jsonify(serialize(prediction) | {"id": None, "saved": False}), 200
    location = url_for("api.show", prediction_id=prediction.id)
    status = 200 if prediction.repeated else 201
    return jsonify(serialize(prediction) | {"saved": True}), status, {"Location": location}


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
def feedback(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Take the right digit: `label`, 0..9, or null for what is no digit."""
    label = label_from_json(_body().get("label", ""))
    return jsonify(serialize(give_feedback(prediction_id, current_visitor(), label)))


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
def comparison(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """What every network says of one of the visitor's own drawings; nothing of it is logged."""
    _body()
    prediction = queries.get(prediction_id, current_visitor())
    return jsonify(items=[_opinion(opinion) for opinion in compare(prediction)])


@blueprint.get("/predictions")
def listing() -> ResponseReturnValue:
    """The logged predictions that the filter asks for, newest first."""
    page = queries.page(visible_conditions(requested_filter()), requested_cursor(), requested_limit())
    return jsonify(items=[serialize(prediction) for prediction in page.items], next=page.next)


@blueprint.get("/predictions/<uuid:prediction_id>")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """One logged prediction."""
    return jsonify(serialize(visible_prediction(prediction_id)))


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
            for card in model_cards()
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
        raise UserError("invalid_json", "The body of the request is not a JSON object.")
    return body


def _model(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise UserError("unknown_model", "There is no network of that name.")
    return value


def _opinion(opinion: ComparisonResult) -> dict[str, Any]:
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
