"""The JSON API under /api/v1/."""

import uuid

from flask import Blueprint

from mnistweb.api.operations import body, parameters, response
from mnistweb.api.schemas import (
    CURSOR,
    FILTER,
    IDEMPOTENCY_KEY,
    LIMIT,
    MINE,
    SORT,
    Answer,
    Comparison,
    Deleted,
    Drawing,
    EmptyObject,
    Label,
    ModelAnswer,
    Models,
    Page,
)
from mnistweb.current import current_request
from mnistweb.database.models import Source
from mnistweb.predictions import queries
from mnistweb.predictions.comparison import ComparisonResult, compare
from mnistweb.predictions.feedback import give_feedback
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.pagination import Order
from mnistweb.predictions.serializers import Prediction, serialize
from mnistweb.predictions.service import recognize_and_save
from mnistweb.predictions.store import delete_all_own, delete_own
from mnistweb.registry.recognizers import model_cards, zoo
from mnistweb.web.access import visible_conditions, visible_prediction
from mnistweb.web.visitors import current_visitor, known_visitor

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/predictions")
@body(Drawing)
@parameters(key=IDEMPOTENCY_KEY)
@response(Answer, 201, "Read and saved.", headers={"Location": "The address of the prediction."})
@response(Answer, 200, "Saved before by a request with this key; or read, but not saved.")
def predict(drawing: Drawing, key: str | None) -> tuple[Answer, int, dict[str, str]]:
    """Read a drawing, and store the reading."""
    prediction = recognize_and_save(
        drawing.image,
        visitor=current_visitor(key),
        source=Source.API,
        model=drawing.model,
        strokes=drawing.strokes,
        key=key,
    )
    if not prediction.saved:
        return {**serialize(prediction), "id": None, "saved": False}, 200, {}
    request = current_request()
    fields = serialize(prediction)
    location = f"{request.script_root}{request.path}/{fields['id']}"
    return {**fields, "saved": True}, 200 if prediction.repeated else 201, {"Location": location}


@blueprint.post("/predictions/<uuid:prediction_id>/feedback")
@body(Label)
@response(Prediction, 200, "Stored.", example={"label": 3, "labelled": True, "correct": True})
def feedback(feedback: Label, prediction_id: uuid.UUID) -> Prediction:
    """Store the true label of your own drawing: 0 to 9, or null if it is not a digit."""
    return serialize(give_feedback(prediction_id, current_visitor(), feedback.label))


@blueprint.post("/predictions/<uuid:prediction_id>/comparison")
@body(EmptyObject)
@response(Comparison, 200, "Compared; nothing is stored.")
def comparison(_: EmptyObject, prediction_id: uuid.UUID) -> Comparison:
    """Ask all models about one drawing."""
    prediction = visible_prediction(prediction_id)
    return {"items": [_model_answer(result) for result in compare(prediction)]}


@blueprint.get("/predictions")
@parameters(limit=LIMIT, cursor=CURSOR, order=SORT, wanted=FILTER)
@response(Page, 200, "Found.")
def listing(limit: int, cursor: str | None, order: Order, wanted: Filter) -> Page:
    """List the predictions that match a filter, by default newest first."""
    page = queries.page(visible_conditions(wanted), cursor, limit, order=order)
    return {"items": [serialize(prediction) for prediction in page.items], "next": page.next}


@blueprint.get("/predictions/<uuid:prediction_id>")
@response(Prediction, 200, "Found.")
def show(prediction_id: uuid.UUID) -> Prediction:
    """Get one prediction."""
    return serialize(visible_prediction(prediction_id))


@blueprint.delete("/predictions/<uuid:prediction_id>")
@response(None, 204, "Deleted.")
def delete(prediction_id: uuid.UUID) -> tuple[str, int]:
    """Delete your own prediction, with its drawing."""
    # Needs no CSRF token: a browser asks before it sends DELETE from another site, and is refused.
    delete_own(prediction_id, current_visitor())
    return "", 204


@blueprint.delete("/predictions")
@parameters(_=MINE)
@response(Deleted, 200, "Deleted.")
def delete_all(_: None) -> Deleted:
    """Delete all of your own predictions, with their drawings."""
    return {"deleted": delete_all_own(known_visitor())}


@blueprint.get("/models")
@response(Models, 200, "Found.")
def models() -> Models:
    """List the models of this site."""
    default = zoo().get().card.name
    return {
        "items": [
            {
                "name": card.name,
                "title": card.title,
                "version": card.version,
                "parameters": card.parameters,
                "default": card.name == default,
            }
            for card in model_cards()
        ]
    }


def _model_answer(result: ComparisonResult) -> ModelAnswer:
    answer = result.answer
    return {
        "model": result.card.name,
        "model_version": result.card.version,
        "digit": answer.digit if answer else None,
        "certainty": answer.certainty if answer else None,
        "confidence": answer.confidence if answer else None,
        "not_a_digit": answer.not_a_digit if answer else None,
        "probabilities": list(answer.probabilities) if answer else None,
        "milliseconds": result.milliseconds,
        "error": result.failure,
    }
