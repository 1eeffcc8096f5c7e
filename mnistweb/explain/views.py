"""A look inside a network that reads a logged drawing: its maps, its votes, and the ink that mattered."""

import uuid
from typing import TYPE_CHECKING

import numpy as np
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.explain.images import attention_sheet, heat_paths, sheet, spotlights, vote_rows
from mnistweb.predictions.queries import get
from mnistweb.recognition.errors import UserError
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.remote.client import FallbackRecognizer
from mnistweb.recognition.types import SIDE, Recognizer
from mnistweb.registry.recognizers import models_are_local, recognizer_named, zoo
from mnistweb.web.fragments import is_fragment
from mnistweb.web.visitors import current_visitor

if TYPE_CHECKING:
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

blueprint = Blueprint("explain", __name__)


@blueprint.get("/predictions/<uuid:prediction_id>/inside")
def show(prediction_id: uuid.UUID) -> ResponseReturnValue:
    """Inside the network `?model=`, or the one that answered, as it reads one of the visitor's drawings."""
    prediction = get(prediction_id, current_visitor())
    if not models_are_local():
        raise UserError(
            "nothing_inside", "This site's networks run on another machine: nobody here can look inside them."
        )
    from mnistweb.recognition.attribution import explain  # which brings torch

    network = _network(request.args.get("model"), prediction.model)
    image = np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE).copy()  # torch wants it writable
    inside = explain(network, image)
    attention = inside.attention
    rows, largest = vote_rows(inside.winner, inside.runner_up, inside.last_maps)
    return render_template(
        "explain/_sections.html" if is_fragment() else "explain/show.html",
        prediction=prediction,
        card=network.card,
        cards=zoo().cards(),
        inside=inside,
        sheets=[sheet(layer.maps) for layer in inside.layers],
        heat=heat_paths(inside.heat),
        rows=rows,
        largest=largest,
        looks=attention and attention_sheet(attention, image),
        rollout=attention and data_url(encode_png(spotlights(attention.rollout[np.newaxis], image)[0])),
    )


def _network(wanted: str | None, answered: str) -> "TorchScriptRecognizer":
    """The network to look into. Raises UserError where there is none of that name or nothing to see."""
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

    network: Recognizer
    if wanted is None:
        network = zoo().get(answered if answered in zoo().names() else None)
    else:
        network = recognizer_named(wanted)
    if isinstance(network, FallbackRecognizer):
        network = network.local
    if not isinstance(network, TorchScriptRecognizer):
        raise UserError("nothing_inside", "A language model runs elsewhere: nobody here can look inside it.")
    return network
