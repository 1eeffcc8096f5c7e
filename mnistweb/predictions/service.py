"""The main use case: recognize a drawing and log the prediction."""

import logging
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from mnistweb.current import current_site
from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction, Source
from mnistweb.database.outage_log import report_outage
from mnistweb.observability.signals import predicted
from mnistweb.predictions.challenges import Prompt
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.idempotency import IdempotencyKey, find_saved, replay
from mnistweb.predictions.images import drawing_to_store
from mnistweb.predictions.store import insert
from mnistweb.predictions.strokes import Strokes
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rejection import reason_in_picture
from mnistweb.registry.recognizers import recognizer_named

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 5
"""Attempts to save a prediction whose key others use and delete at the same time."""


def recognize_and_save(
    data: bytes,
    *,
    visitor: str,
    source: Source,
    model: str | None = None,
    strokes: Strokes | None = None,
    key: str | None = None,
    prompt: Prompt | None = None,
) -> Prediction:
    """Recognize the image file `data` and commit the prediction before it is returned.

    Of a visitor's requests with the same idempotency `key`, one is saved. The others return the saved
    prediction, marked `repeated`. `prompt` is the digit that the drawing was asked for, if it was. If the
    database fails, the prediction is returned with `saved` false.
    Raises DrawingError for an image that cannot be read, and UserError for an unknown model or for a key that
    was used for another drawing. Raises RecognitionError if the recognizer gives no answer.
    """
    recognizer = recognizer_named(model)
    request = IdempotencyKey.of(key, visitor, data, model, strokes) if key is not None else None
    # Only for a service, which takes seconds: a local model is faster than this query.
    if request and isinstance(recognizer.card, ServiceCard) and (saved := find_saved(request)):
        return saved
    started = time.perf_counter()
    ink = read_drawing(data, current_site().config["MAX_IMAGE_PIXELS"])
    decoded = time.perf_counter()
    image = normalize(ink)
    preprocessed = time.perf_counter()
    answer = recognizer.recognize(image)
    recognized = time.perf_counter()
    prediction = Prediction(
        id=uuid.uuid4(),
        created_at=datetime.now(UTC),
        visitor=visitor,
        source=source,
        drawing=drawing_to_store(ink),
        input=image.tobytes(),
        strokes=strokes,
        digit=answer.digit,
        doubtful=answer.certainty is Certainty.DOUBTFUL,
        confidence=answer.confidence,
        not_a_digit=answer.not_a_digit,
        reason=reason_in_picture(answer.reason, ink),
        probabilities=list(answer.probabilities),
        model=answer.model,
        model_version=answer.model_version,
        recognition_ms=(recognized - started) * 1000,
    )
    if prompt is not None:
        prediction.challenge, prediction.prompt = prompt.challenge, prompt.digit
    if request is not None:
        prediction.request_key, prediction.request_content = request.key, request.content
    saving = time.perf_counter()
    if saved := _save_or_replay(prediction, request):
        return saved
    if predicted.receivers:
        seconds = {
            "decode": decoded - started,
            "preprocess": preprocessed - decoded,
            "forward": recognized - preprocessed,
            "save": time.perf_counter() - saving,
        }
        predicted.send(current_site(), prediction=prediction, seconds=seconds)
    return prediction


def _save_or_replay(prediction: Prediction, request: IdempotencyKey | None) -> Prediction | None:
    """Save the prediction, or return the one that was saved with its key."""
    for _ in range(MAX_ATTEMPTS):
        try:
            _save(prediction)
            return None
        except IntegrityError:
            if request is None:
                raise
        with suppress(NotFound):  # deleted meanwhile, so the key is free again
            return replay(request)
    raise NotFound


def _save(prediction: Prediction) -> None:
    try:
        insert(prediction)
    except SQLAlchemyError as error:
        if prediction.request_key is not None and isinstance(error, IntegrityError):
            raise
        # The visitor still gets the answer, and a note that it was not saved.
        if isinstance(error, DATABASE_ERRORS):
            report_outage("Predictions cannot be saved:", error)
        else:
            logger.exception("The prediction could not be saved.")
        prediction.saved = False
