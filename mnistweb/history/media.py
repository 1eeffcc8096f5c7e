"""Images of a prediction: the drawing, the recognizer's 28x28 input, and the preview of its page."""

import uuid

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from mnistweb.history.preview import preview_png
from mnistweb.predictions.images import drawing_png, input_png
from mnistweb.web.access import visible_prediction

blueprint = Blueprint("media", __name__, url_prefix="/predictions")


@blueprint.get("/<uuid:prediction_id>/drawing.png")
def drawing(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send the drawing as a PNG."""
    return _png(drawing_png(visible_prediction(prediction_id)))


@blueprint.get("/<uuid:prediction_id>/input.png")
def input_image(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send the recognizer's 28x28 input as a PNG."""
    return _png(input_png(visible_prediction(prediction_id)))


@blueprint.get("/<uuid:prediction_id>/preview.png")
def preview(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send the picture that other sites show beside a link to the prediction."""
    response = _png(preview_png(visible_prediction(prediction_id)))
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _png(data: bytes) -> Response:
    response = Response(data, mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
