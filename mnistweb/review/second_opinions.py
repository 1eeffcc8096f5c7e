"""Second opinions: what the other networks of this site read in drawings, asked in one batch."""

import uuid
from collections.abc import Iterator, Sequence

import numpy as np

from mnistweb.database.models import Prediction
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.types import SIDE
from mnistweb.registry.recognizers import local_network, model_cards, zoo

Opinion = tuple[str, int | None]
"""A model's title, and the digit that it reads; None for "not a digit"."""


def other_readings(predictions: Sequence[Prediction]) -> dict[uuid.UUID, list[Opinion]]:
    """Return for each drawing which other networks read something else, and what.

    A newer version of the same network is another one. A site whose models run elsewhere has no others at
    hand. The columns of the inputs must be loaded.
    """
    found: dict[uuid.UUID, list[Opinion]] = {prediction.id: [] for prediction in predictions}
    readable = [each for each in predictions if len(each.input) == SIDE * SIDE]
    for title, version, name, digits in _readings(readable):
        for prediction, digit in zip(readable, digits, strict=True):
            is_other = (prediction.model, prediction.model_version) != (name, version)
            if is_other and digit != prediction.digit:
                found[prediction.id].append((title, digit))
    return found


def _readings(predictions: Sequence[Prediction]) -> Iterator[tuple[str, str, str, list[int | None]]]:
    if not predictions:
        return
    pixels = b"".join(prediction.input for prediction in predictions)
    images = np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE).copy()  # torch wants it writable
    titles = {card.name: card.title for card in model_cards()}
    for name in zoo().names():
        if network := local_network(name):
            answers = (
                to_answer(logits, network.card, image)
                for logits, image in zip(network.logits(images).tolist(), images, strict=True)
            )
            yield titles[name], network.card.version, name, [answer.digit for answer in answers]
