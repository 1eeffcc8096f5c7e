"""The one use-case: a drawing comes in, is recognised, is saved; then feedback on it."""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import CursorResult, and_, case, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import undefer

from mnistweb.database.circuit_breaker import DATABASE_ERRORS
from mnistweb.database.models import Prediction, Source
from mnistweb.extensions import db
from mnistweb.observability.signals import judged, predicted
from mnistweb.predictions import aggregates as tallies
from mnistweb.predictions.idempotency import Once, once
from mnistweb.predictions.images import picture_to_keep
from mnistweb.predictions.store import save
from mnistweb.proportion import interval
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.preprocessing import normalise
from mnistweb.recognition.types import Reader
from mnistweb.registry.recognizers import choices, reader

logger = logging.getLogger(__name__)


class PredictionError(ValueError):
    """A request that cannot be met: `code` for programs, the message one sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotFound(PredictionError):
    """There is no such prediction, or not for this visitor."""

    def __init__(self) -> None:
        super().__init__("not_found", "There is no such prediction.")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often the answers were right, over the predictions that have feedback."""

    labelled: int
    correct: int

    @property
    def share(self) -> float:
        """Correct out of labelled, 0..1; 0 while nothing is labelled."""
        return self.correct / self.labelled if self.labelled else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % confidence: two shares 0..1, the lower one first."""
        return interval(self.correct, self.labelled)


def recognise_and_save(
    data: bytes,
    *,
    visitor: str,
    source: Source,
    model: str | None = None,
    strokes: dict[str, Any] | None = None,
    key: str | None = None,
) -> Prediction:
    """Recognise the image file `data` and commit the answer before it is returned.

    Of several requests of the visitor's with the same `key` one is saved; the others get that, as `repeated`.
    Where the database fails the answer is returned all the same, with `saved` false.
    Raises DrawingError for an image that cannot be read, PredictionError for an unknown model or a key that
    had come with something else, RecognitionError where there is no answer.
    """
    recognizer = recognizer_named(model)
    request = once(key, visitor, data, model, strokes) if key is not None else None
    # A network reads a drawing sooner than the log could be asked for it.
    if request and isinstance(recognizer.card, ServiceCard) and (before := _saved_if_any(request)):
        return before
    started = time.perf_counter()
    ink = read_drawing(data, current_app.config["MAX_IMAGE_PIXELS"])
    decoded = time.perf_counter()
    image = normalise(ink)
    preprocessed = time.perf_counter()
    answer = recognizer.recognise(image)
    recognised = time.perf_counter()
    prediction = Prediction(
        id=uuid.uuid4(),
        created_at=datetime.now(UTC),
        visitor=visitor,
        source=source,
        drawing=picture_to_keep(data, ink),
        input=image.tobytes(),
        strokes=strokes,
        digit=answer.digit,
        confidence=answer.confidence,
        not_a_digit=answer.not_a_digit,
        reason=answer.reason,
        probabilities=list(answer.probabilities),
        model=answer.model,
        model_version=answer.model_version,
        recognition_ms=(time.perf_counter() - started) * 1000,
    )
    if request is not None:
        prediction.request_key, prediction.request_content = request.key, request.content
    saving = time.perf_counter()
    try:
        _save(prediction)
    except IntegrityError:
        return _saved_before(prediction.request_key, prediction.request_content)
    if predicted.receivers:
        seconds = {
            "decode": decoded - started,
            "preprocess": preprocessed - decoded,
            "forward": recognised - preprocessed,
            "save": time.perf_counter() - saving,
        }
        predicted.send(current_app._get_current_object(), prediction=prediction, seconds=seconds)  # type: ignore[attr-defined]
    return prediction


def give_feedback(prediction_id: uuid.UUID, visitor: str, label: int | None) -> Prediction:
    """Record that the drawing was `label` (0..9, or None: no digit), and commit.

    Only a label that differs from the recorded one changes anything. Raises NotFound for anyone but its
    author.
    """
    if label is not None and not 0 <= label <= 9:
        raise PredictionError("invalid_label", "The correct digit must be a number from 0 to 9.")
    while not _relabel(get(prediction_id, visitor), label):
        db.session.rollback()
    return get(prediction_id, visitor)


def get(prediction_id: uuid.UUID, visitor: str | None = None) -> Prediction:
    """The prediction of that id; with a `visitor`, only if it is theirs. Raises NotFound."""
    query = select(Prediction).where(Prediction.id == prediction_id)
    if visitor is not None:
        query = query.where(Prediction.visitor == visitor)
    prediction = db.session.scalar(query.execution_options(populate_existing=True))
    if prediction is None:
        raise NotFound
    return prediction


def accuracy(visitor: str) -> Accuracy:
    """How often the visitor, by their own feedback, got the right answer."""
    same = Prediction.digit.is_not_distinct_from(Prediction.label)
    correct = and_(Prediction.labelled_at.is_not(None), same)
    labelled_count, correct_count = db.session.execute(
        select(
            func.count(Prediction.labelled_at),
            func.coalesce(func.sum(case((correct, 1), else_=0)), 0),
        ).where(Prediction.visitor == visitor)
    ).one()
    return Accuracy(labelled_count, correct_count)


def recognizer_named(model: str | None) -> Reader:
    """What reads by that name, or the default network. Raises PredictionError where there is none."""
    if model is not None and model not in [card.name for card in choices()]:
        raise PredictionError("unknown_model", "There is no network of that name.")
    return reader(model)


def _relabel(prediction: Prediction, label: int | None) -> bool:
    # Only from the label that was read to the new one, so that the tallies take away what they had counted;
    # false where someone else was faster.
    if prediction.labelled and prediction.label == label:
        return True
    before = tallies.fact(prediction)
    after = before._replace(label=label, labelled_at=datetime.now(UTC))
    changed = db.session.execute(
        update(Prediction)
        .where(
            Prediction.id == prediction.id,
            Prediction.labelled_at.is_not_distinct_from(before.labelled_at),
            Prediction.label.is_not_distinct_from(before.label),
        )
        .values(label=after.label, labelled_at=after.labelled_at)
        .execution_options(synchronize_session=False)
    )
    if not cast(CursorResult[Any], changed).rowcount:
        return False
    tallies.change(db.session(), removed=[before], added=[after])
    db.session.commit()
    verdict = "right" if label == prediction.digit else "wrong"
    judged.send(current_app._get_current_object(), verdict=verdict)  # type: ignore[attr-defined]
    return True


def _saved_if_any(request: Once) -> Prediction | None:
    try:
        return _saved_before(request.key, request.content)
    except NotFound:
        return None
    except DATABASE_ERRORS:
        db.session.rollback()
        return None
    finally:
        db.session.commit()  # which gives the connection back before anyone is asked


def _saved_before(key: bytes | None, content: bytes | None) -> Prediction:
    query = select(Prediction).where(Prediction.request_key == key)
    prediction = db.session.scalar(query.options(undefer(Prediction.request_content)))
    if prediction is None:
        raise NotFound  # or deleted in this very moment
    if prediction.request_content != content:
        raise PredictionError(
            "idempotency_key_reused", "This Idempotency-Key came with another drawing before."
        )
    prediction.repeated = True
    return prediction


def _save(prediction: Prediction) -> None:
    try:
        save(prediction)
    except SQLAlchemyError as error:
        if prediction.request_key is not None and isinstance(error, IntegrityError):
            raise
        # The visitor still gets the answer, and is told that it was not saved.
        logger.exception("A prediction could not be saved.")
        prediction.saved = False
