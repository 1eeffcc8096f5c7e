"""From a network's logits to a calibrated answer, by the temperature and boundaries of its card."""

import math
from collections.abc import Sequence

from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.rejection import rejection_reason
from mnistweb.recognition.types import Answer, DigitImage

DIGITS = 10


def to_answer(logits: Sequence[float], card: ModelCard, image: DigitImage) -> Answer:
    """Turn logits [11], the ten digits and "not a digit", into the answer of `card`'s network for `image`."""
    scaled = [logit / card.temperature for logit in logits]
    probabilities = _softmax(scaled[:DIGITS])
    not_a_digit = _softmax(scaled)[DIGITS]
    digit = max(range(DIGITS), key=probabilities.__getitem__)
    sureness = probabilities[digit] * (1 - not_a_digit)
    certainty = card.boundaries.certainty(sureness, not_a_digit)
    refused = certainty is Certainty.NOT_A_DIGIT
    return Answer(
        digit=None if refused else digit,
        certainty=certainty,
        confidence=not_a_digit if refused else sureness,
        probabilities=tuple(probabilities),
        not_a_digit=not_a_digit,
        reason=rejection_reason(image) if refused else None,
        model=card.name,
        model_version=card.version,
    )


def _softmax(values: list[float]) -> list[float]:
    # For eleven numbers this is faster than a tensor operation.
    most = max(values)
    weights = [math.exp(value - most) for value in values]
    total = sum(weights)
    return [weight / total for weight in weights]
