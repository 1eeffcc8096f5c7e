"""The page of one prediction, the pen strokes that it replays, and the film that goes with them."""

import uuid

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.database.models import Prediction
from mnistweb.history.film import film_network, make_film
from mnistweb.predictions.comparison import ComparisonResult
from mnistweb.predictions.filter_fields import SOURCES
from mnistweb.predictions.queries import has_strokes, stored_strokes
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import visible_prediction
from mnistweb.web.addresses import address_of
from mnistweb.web.visitors import known_visitor

blueprint = Blueprint("prediction", __name__, url_prefix="/predictions")
IMMUTABLE = "private, max-age=31536000, immutable"
NOBODY = uuid.UUID(int=0)


@blueprint.get("/<uuid:prediction_id>")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Show one prediction: the drawing, its strokes, the answer, and its author's feedback."""
    prediction = visible_prediction(prediction_id)
    network = film_network(prediction)
    return render_template(
        "history/prediction.html",
        answer=prediction,
        strokes=has_strokes(prediction_id),
        film=network and network.card,
        mine=prediction.visitor == known_visitor(),
        sources=SOURCES,
        models=model_cards(),
        blank=[ComparisonResult(card) for card in model_cards()],
    )


@blueprint.get("/<uuid:prediction_id>/strokes.json")
def strokes(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send the pen strokes of a drawing as JSON; null without strokes."""
    visible_prediction(prediction_id)
    response = Response(stored_strokes(prediction_id) or "null", mimetype="application/json")
    response.headers["Cache-Control"] = IMMUTABLE
    return response


@blueprint.get("/<uuid:prediction_id>/film.json")
def film(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Send a model's readings of the drawing as it grew as JSON; null if there are none.

    `?model=` is the version of the model, so that the address changes with it.
    """
    prediction = visible_prediction(prediction_id)
    network = film_network(prediction)
    response = jsonify(network and make_film(prediction, network))
    # During an update, a page and this server may have different versions.
    if network and request.args.get("model") == network.card.version:
        response.headers["Cache-Control"] = IMMUTABLE
    return response


def page_of(prediction: Prediction) -> str:
    """Return the address of a prediction's page."""
    pages = address_of("prediction.show", prediction_id=NOBODY).removesuffix(str(NOBODY))
    return f"{pages}{prediction.id}"
