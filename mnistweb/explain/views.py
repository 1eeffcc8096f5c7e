"""Look inside: feature maps, contributions to the logits, and attribution for a logged drawing."""

import uuid
from typing import TYPE_CHECKING

import numpy as np
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.explain.images import (
    attention_overlays,
    attention_sheet,
    contact_sheet,
    contributions,
    heat_paths,
)
from mnistweb.recognition.errors import UserError
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.remote.client import FallbackRecognizer
from mnistweb.recognition.types import SIDE, Recognizer
from mnistweb.registry.recognizers import models_are_local, recognizer_named, zoo
from mnistweb.web.access import visible_prediction
from mnistweb.web.fragments import is_fragment
from mnistweb.web.visitors import known_visitor

if TYPE_CHECKING:
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

blueprint = Blueprint("explain", __name__)


@blueprint.get("/predictions/<uuid:prediction_id>/inside")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Explain how `?model=`, or the model that answered, reads one drawing."""
    prediction = visible_prediction(prediction_id)
    if not models_are_local():
        raise UserError(
            "nothing_inside", "This site’s models run on another machine, so it can’t look inside them."
        )
    from mnistweb.recognition.attribution import explain  # here, because it imports torch

    recognizer = _local_recognizer(request.args.get("model"), prediction.model)
    image = np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE).copy()  # torch wants it writable
    inside = explain(recognizer, image)
    attention = inside.attention
    return render_template(
        "explain/_sections.html" if is_fragment() else "explain/show.html",
        prediction=prediction,
        others=prediction.visitor != known_visitor(),
        card=recognizer.card,
        cards=zoo().cards(),
        closable=is_fragment(),
        inside=inside,
        sheets=[contact_sheet(layer.maps) for layer in inside.layers],
        heat=heat_paths(inside.heat),
        votes=contributions(inside.winner, inside.runner_up, inside.last_maps),
        looks=attention and attention_sheet(attention, image),
        rollout=attention
        and data_url(encode_png(attention_overlays(attention.rollout[np.newaxis], image)[0])),
    )


def _local_recognizer(requested: str | None, answered: str) -> "TorchScriptRecognizer":
    """Return the recognizer to explain.

    Raises UserError: unknown_model for an unknown name, nothing_inside for a model that runs elsewhere.
    """
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

    recognizer: Recognizer
    if requested is None:
        recognizer = zoo().get(answered if answered in zoo().names() else None)
    else:
        recognizer = recognizer_named(requested)
    if isinstance(recognizer, FallbackRecognizer):
        recognizer = recognizer.local
    if not isinstance(recognizer, TorchScriptRecognizer):
        raise UserError(
            "nothing_inside", "A language model runs elsewhere, so this site can’t look inside it."
        )
    return recognizer
