"""Live guess: the answer to an unfinished drawing, by the same model as a prediction, and not logged."""

import numpy as np
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, UnsupportedMediaType

from mnistweb.predictions.wording import bar_value, guess_words, shares
from mnistweb.recognition.errors import DrawingError, UserError
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.preprocessing import normalize
from mnistweb.registry.recognizers import recognizer_named

blueprint = Blueprint("live_guess", __name__)
MAX_SIDE = 128
"""Largest width and height, in pixels. The page sends fewer, and preprocessing shrinks them to 20x20."""
MEDIA_TYPE = "application/octet-stream"
"""Pages and forms of other sites cannot send this media type, so the route needs no CSRF token."""


@blueprint.post("/guess")
def guess() -> ResponseReturnValue:
    """Recognize ink: rows of `?width=` bytes each, 0 for background to 255 for full ink."""
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Forbidden
    if request.mimetype != MEDIA_TYPE:
        raise UnsupportedMediaType
    request.max_content_length = MAX_SIDE**2
    recognizer = recognizer_named(request.args.get("model"))
    if not isinstance(recognizer.card, ModelCard):
        raise UserError("unknown_model", "Only this site’s own models guess while you draw.")
    width = request.args.get("width", 0, type=int)
    pixels = np.frombuffer(request.get_data(), np.uint8)
    if (
        not 0 < width <= MAX_SIDE
        or pixels.size == 0
        or pixels.size % width
        or pixels.size // width > MAX_SIDE
    ):
        raise DrawingError("unreadable_image", "These bytes are no picture of that width.")
    image = normalize(pixels.reshape(-1, width))
    answer = recognizer.recognize(image)
    every = shares(answer)
    return jsonify(
        digit=answer.digit,
        certainty=answer.certainty,
        confidence=answer.confidence,
        not_a_digit=answer.not_a_digit,
        probabilities=answer.probabilities,
        model=answer.model,
        words=guess_words(answer),
        shares=[round(share, 4) for share in every],
        bars=[bar_value(share) for share in every],
        threshold=recognizer.card.boundaries.not_a_digit,
        seen=data_url(encode_png(image, even=True)),
    )
