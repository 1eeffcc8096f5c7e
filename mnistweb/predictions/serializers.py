"""Serialization of predictions for JSON and CSV."""

from typing import Any

from mnistweb.database.models import Prediction


def serialize(prediction: Prediction) -> dict[str, Any]:
    """Return the public fields of a prediction, without its visitor."""
    return {
        "id": str(prediction.id),
        "created_at": prediction.created_at.isoformat(),
        "source": prediction.source,
        "digit": prediction.digit,
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
    }
