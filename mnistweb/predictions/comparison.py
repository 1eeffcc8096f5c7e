"""Comparison: the answers of several models to one drawing. They are not logged."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import Card
from mnistweb.recognition.types import SIDE, Answer, DigitImage, Recognizer
from mnistweb.registry.recognizers import model_cards, recognizer_named

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """One model's answer, or the sentence that explains its absence, and the time it took."""

    card: Card
    answer: Answer | None = None
    failure: str | None = None
    milliseconds: float = 0.0


def compare(prediction: Prediction, names: Sequence[str] = ()) -> list[ComparisonResult]:
    """Recognize the 28x28 image of a prediction with every model, or with the models of `names`.

    The failure of a model becomes its result, beside the answers of the others. Raises UserError for an
    unknown name.
    """
    image = np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE).copy()  # torch wants it writable
    db.session.commit()  # release the connection: a language model may take seconds
    distinct = dict.fromkeys(names or [card.name for card in model_cards()])
    recognizers = [recognizer_named(name) for name in distinct]
    return [_recognize(recognizer, image) for recognizer in recognizers]


def _recognize(recognizer: Recognizer, image: DigitImage) -> ComparisonResult:
    started = time.perf_counter()
    answer = failure = None
    try:
        answer = recognizer.recognize(image)
    except RecognitionError as error:
        failure = str(error)
    except Exception:  # any failure must leave the other models' answers intact
        logger.exception("The model %s failed.", recognizer.card.name)
        failure = "It failed to answer. The error has been logged."
    return ComparisonResult(recognizer.card, answer, failure, (time.perf_counter() - started) * 1000)
