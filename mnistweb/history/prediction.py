"""The page of one prediction, and the pen strokes that it replays."""

import uuid

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from mnistweb.predictions.comparison import ComparisonResult
from mnistweb.predictions.filter_fields import SOURCES
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import visible_prediction
from mnistweb.web.visitors import known_visitor

blueprint = Blueprint("prediction", __name__, url_prefix="/predictions")


@blueprint.get("/<uuid:prediction_id>")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Show one prediction: the drawing, its strokes, the answer, and its author's feedback."""
    prediction = visible_prediction(prediction_id)
    return render_template(
        "history/prediction.html",
        answer=prediction,
        strokes=bool(prediction.strokes and prediction.strokes["strokes"]),
        mine=prediction.visitor == known_visitor(),
        sources=SOURCES,
        models=model_cards(),
        blank=[ComparisonResult(card) for card in model_cards()],
    )


@blueprint.get("/<uuid:prediction_id>/strokes.json")
def strokes(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send the pen strokes of a drawing as JSON; null without strokes."""
    response = jsonify(visible_prediction(prediction_id).strokes)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
