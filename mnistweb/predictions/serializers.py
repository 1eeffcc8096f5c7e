"""Predictions in JSON: their fields, for the API, its description and downloads."""

import json
from typing import Annotated, Any, TypedDict, cast

from mnistweb.database import models
from mnistweb.predictions.queries import strokes_text
from mnistweb.recognition.boundaries import Certainty

# Keywords of JSON Schema.
ID = {"format": "uuid", "examples": ["7d3d3b5e-2d0a-4c53-a0a3-6b1d5c2f0b9e"]}
DIGIT = {"minimum": 0, "maximum": 9, "examples": [3]}
CERTAINTY = {"examples": ["sure"]}
SHARE = {"minimum": 0, "maximum": 1}
PROBABILITY = SHARE | {"examples": [0.9968]}
PROBABILITIES = {
    "minItems": 10,
    "maxItems": 10,
    "examples": [[0, 0, 0.0001, 0.9981, 0, 0.0013, 0, 0, 0.0004, 0.0001]],
}

Probabilities = list[Annotated[float, SHARE]]
ModelName = Annotated[str, {"examples": ["cnn"]}]
ModelVersion = Annotated[str, {"examples": ["58cc18175622"]}]


class Reading(TypedDict):
    """A reading of a drawing, and the label from its author."""

    created_at: Annotated[str, {"format": "date-time", "examples": ["2026-01-31T09:30:00+00:00"]}, "In UTC."]
    source: Annotated[models.Source, {"examples": ["api"]}]
    digit: Annotated[int | None, DIGIT, "The digit read; null if it was not a digit."]
    certainty: Annotated[Certainty, CERTAINTY, "Whether the digit is sure, or in doubt; or none."]
    confidence: Annotated[float, PROBABILITY, "The calibrated probability that the answer is right."]
    not_a_digit: Annotated[float, SHARE | {"examples": [0.0013]}, "The probability of no digit."]
    reason: Annotated[str | None, {"examples": [None]}, "Why it was read as not a digit."]
    probabilities: Annotated[Probabilities, PROBABILITIES, "Of the digits 0 to 9."]
    model: ModelName
    model_version: ModelVersion
    recognition_ms: Annotated[
        float, {"minimum": 0, "examples": [4.2]}, "Milliseconds from the image file to the answer."
    ]
    label: Annotated[
        int | None,
        DIGIT | {"examples": [None]},
        "The true digit from the author; null with `labelled`: not a digit.",
    ]
    labelled: Annotated[bool, {"examples": [False]}, "Whether the author gave a label."]
    correct: Annotated[bool | None, {"examples": [None]}, "Whether the answer was right; null if unknown."]
    prompt: Annotated[
        int | None,
        DIGIT | {"examples": [None]},
        "The digit that the author was asked to draw, in a challenge; null if none was.",
    ]


class Prediction(Reading):
    """A saved prediction."""

    id: Annotated[str, ID]


def serialize(prediction: models.Prediction) -> Prediction:
    """Return the public fields of a prediction, without its visitor."""
    return {
        "id": str(prediction.id),
        "created_at": prediction.created_at.isoformat(),
        "source": prediction.source,
        "digit": prediction.digit,
        "certainty": cast(Certainty, prediction.certainty),
        "confidence": prediction.confidence,
        "not_a_digit": prediction.not_a_digit,
        "reason": prediction.reason,
        "probabilities": prediction.probabilities,
        "model": prediction.model,
        "model_version": prediction.model_version,
        "recognition_ms": prediction.recognition_ms,
        "label": prediction.label,
        "labelled": prediction.labelled,
        "correct": prediction.correct,
        "prompt": prediction.prompt,
    }


def drawing_line(prediction: models.Prediction, **more: Any) -> str:
    """Return a JSON line of the public fields, `strokes`, `input`, and `more`.

    `input` is the recognizer's 28x28 image: 784 values row by row, 0 (background) to 255 (ink). The columns
    of the input and STROKES_TEXT must be loaded.
    """
    fields = json.dumps(serialize(prediction)).removesuffix("}")
    others = json.dumps({"input": list(prediction.input), **more}).removeprefix("{")
    return f'{fields}, "strokes": {strokes_text(prediction) or "null"}, {others}\n'
