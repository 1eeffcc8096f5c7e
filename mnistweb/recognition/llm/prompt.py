"""What a language model is asked about a picture, and how its reply is read.

It says a digit or "none", and how sure it is: its own word, which unlike a network's confidence is not
calibrated.
"""

import json
import re
from typing import Any

import numpy as np
from PIL import Image

from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.types import DigitImage

ENLARGED = 280  # pixels a side; 28 would be one patch of many models
PROMPT = (
    "A person drew something on a slate; the picture shows it centred, light ink on a dark ground. "
    "Which single handwritten digit is it? Answer with one JSON object and nothing else, such as "
    '{"digit": "3", "confidence": 0.85}. "digit" is one of "0" to "9", or "none" where the picture is '
    'anything but one digit: a letter, a symbol, a scribble, several digits. "confidence" is the '
    "probability, a number from 0 to 1, that this answer is right."
)
DIGITS: dict[object, int | None] = {str(digit): digit for digit in range(10)} | {"none": None}
REPLY_FORMAT = {
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
OBJECT = re.compile(r"\{[^{}]*\}")


class Refusal(ValueError):
    """The model declines to answer."""


def messages(image: DigitImage) -> list[dict[str, Any]]:
    """The question about a preprocessed image, uint8 [28, 28], as messages of a chat."""
    enlarged = Image.fromarray(image).resize((ENLARGED, ENLARGED), Image.Resampling.BICUBIC)
    picture = data_url(encode_png(np.asarray(enlarged)))
    content = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    return [{"role": "user", "content": content}]


def read_completion(completion: object) -> tuple[int | None, float]:
    """The digit (None for "none") and the confidence 0..1 of a chat completion.

    Raises Refusal where the model declines, ValueError where it says anything else.
    """
    # The client does not check what it hands out: anything may be missing, null or of another type.
    choices = getattr(completion, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if getattr(message, "refusal", None) or getattr(choice, "finish_reason", None) == "content_filter":
        raise Refusal
    content = getattr(message, "content", None)
    return read_reply(content if isinstance(content, str) else "")


def read_reply(text: str) -> tuple[int | None, float]:
    """The digit (None for "none") and the confidence 0..1 in the one JSON object of a text.

    There may be words or a fence around it, as from endpoints that do not hold their models to a format.
    Raises ValueError where there is no such object, or more than one.
    """
    objects = OBJECT.findall(text)
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
