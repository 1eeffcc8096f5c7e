"""What a network's logits mean: its card's temperature and threshold make an answer of them."""

import math
from collections.abc import Sequence

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.types import Answer, DigitImage

DIGITS = 10
BLOT = 190
"""Pixels of ink, of the 400 in a digit's box, that make a refused drawing a blot. A digit has some 100."""


def answer(logits: Sequence[float], card: ModelCard, image: DigitImage) -> Answer:
    """What the network of `card` says of `image`, by its logits [11]: the ten digits, then "not a digit"."""
    scaled = [logit / card.temperature for logit in logits]
    probabilities = _softmax(scaled[:DIGITS])
    not_a_digit = _softmax(scaled)[DIGITS]
    digit = max(range(DIGITS), key=probabilities.__getitem__)
    refused = not_a_digit >= card.threshold
    return Answer(
        digit=None if refused else digit,
        confidence=not_a_digit if refused else probabilities[digit] * (1 - not_a_digit),
        probabilities=tuple(probabilities),
        not_a_digit=not_a_digit,
        reason=_reason(image) if refused else None,
        model=card.name,
        model_version=card.version,
    )


def _reason(image: DigitImage) -> str:
    if int(image.sum()) >= BLOT * 255:
        return "The strokes merge. Use a thinner brush, or write larger."
    return "I read one digit at a time. Draw just one, large and without gaps."


def _softmax(values: list[float]) -> list[float]:
    # Of eleven numbers this is done before a tensor's would have begun.
    most = max(values)
    weights = [math.exp(value - most) for value in values]
    total = sum(weights)
    return [weight / total for weight in weights]
