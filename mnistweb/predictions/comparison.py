"""What every installed network says of one drawing, side by side. Nothing of it is logged."""

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
    """One network's answer, or in its place the sentence that says why there is none."""

    card: Card
    answer: Answer | None = None
    failure: str | None = None
    milliseconds: float = 0.0


def compare(prediction: Prediction, names: Sequence[str] = ()) -> list[ComparisonResult]:
    """Ask every network, or those of `names`, about the 28x28 picture of a prediction.

    One that fails leaves its failure among the others' answers. Raises UserError for an unknown name.
    """
    image = np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE).copy()  # torch wants it writable
    db.session.commit()  # which gives the connection back: a language model may take its time
    wanted = dict.fromkeys(names or [card.name for card in model_cards()])  # nobody is asked twice
    readers = [recognizer_named(name) for name in wanted]
    return [_ask(reader, image) for reader in readers]


def _ask(reader: Recognizer, image: DigitImage) -> ComparisonResult:
    started = time.perf_counter()
    answer = failure = None
    try:
        answer = reader.recognize(image)
    except RecognitionError as error:
        failure = str(error)
    except Exception:  # whatever it is, it must not take the other networks' answers along
        logger.exception("The network %s failed.", reader.card.name)
        failure = "It failed to answer. The error has been logged."
    return ComparisonResult(reader.card, answer, failure, (time.perf_counter() - started) * 1000)
