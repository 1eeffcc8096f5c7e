"""Prompt for a language model about an image, and parser of its reply.

The reply is a digit or "none", and a confidence. Unlike that of the other models, it is not calibrated.
"""

import json
import re
from typing import Any

import numpy as np
from PIL import Image

from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.types import DigitImage

ENLARGED_SIDE = 280  # pixels; 28 would be one patch of many models
PROMPT = (
    "A person drew something on a slate; the picture shows it centred, light ink on a dark ground. "
    "Which single handwritten digit is it? Answer with one JSON object and nothing else, such as "
    '{"digit": "3", "confidence": 0.85}. "digit" is one of "0" to "9", or "none" where the picture is '
    'anything but one digit: a letter, a symbol, a scribble, several digits. "confidence" is the '
    "probability, a number from 0 to 1, that this answer is right."
)
DIGITS: dict[object, int | None] = {str(digit): digit for digit in range(10)} | {"none": None}
RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "reading",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "digit": {"type": "string", "enum": list(DIGITS)},
                "confidence": {"type": "number", "description": "from 0 to 1"},
            },
            "required": ["digit", "confidence"],
            "additionalProperties": False,
        },
    },
}
JSON_OBJECT = re.compile(r"\{[^{}]*\}")


class Refusal(ValueError):
    """The model declines to answer."""


def chat_messages(image: DigitImage) -> list[dict[str, Any]]:
    """Return the chat messages about a preprocessed image, uint8 [28, 28]."""
    enlarged = Image.fromarray(image).resize((ENLARGED_SIDE, ENLARGED_SIDE), Image.Resampling.BICUBIC)
    picture = data_url(encode_png(np.asarray(enlarged)))
    content = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    return [{"role": "user", "content": content}]


def read_completion(completion: object) -> tuple[int | None, float]:
    """Return the digit (None for "none") and the confidence 0..1 of a chat completion.

    Raises Refusal if the model declines, ValueError for any other content.
    """
    # The client does not validate responses: any field may be missing, null or of another type.
    choices = getattr(completion, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if getattr(message, "refusal", None) or getattr(choice, "finish_reason", None) == "content_filter":
        raise Refusal
    content = getattr(message, "content", None)
    return read_reply(content if isinstance(content, str) else "")


def read_reply(text: str) -> tuple[int | None, float]:
    """Return the digit (None for "none") and the confidence 0..1 in the one JSON object of a text.

    Words or a code fence may surround it, since not all endpoints enforce a format. Raises ValueError if
    there is no such object, or more than one.
    """
    objects = JSON_OBJECT.findall(text)
    if len(objects) != 1:
        raise ValueError("not one object")
    try:
        reply = json.loads(objects[0])
    except RecursionError:
        raise ValueError("nested too deeply") from None
    digit, confidence = reply.get("digit"), reply.get("confidence")
    if isinstance(digit, int) and not isinstance(digit, bool):
        digit = str(digit)
    if not isinstance(digit, str) or digit not in DIGITS:
        raise ValueError("not a digit")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError("not a probability")
    return DIGITS[digit], float(confidence)
