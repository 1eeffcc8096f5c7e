"""Likeness: claims that several visitors made of almost the same drawing, as one person with many names."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.recognition.types import SIDE

ALIKE_FROM = 0.97
"""Cosine of two inputs from which on their drawings are almost the same."""
WINDOW = timedelta(1)
"""Time before and after a claim in which others are compared with it."""
MOST_COMPARED = 50
"""Claims that one is compared with, the newest of its window."""


def similar_claims(predictions: Sequence[Prediction]) -> dict[uuid.UUID, int]:
    """Count for each claim against the model the other visitors who drew almost the same and claim the same.

    The columns of the inputs must be loaded.
    """
    claims = [each for each in predictions if each.correct is False and len(each.input) == SIDE * SIDE]
    return {claim.id: number for claim in claims if (number := _others_alike(claim))}


def _others_alike(claim: Prediction) -> int:
    query = (
        select(Prediction.visitor, Prediction.input)
        .where(
            Prediction.labelled_at.is_not(None),
            Prediction.digit.is_(None) if claim.digit is None else Prediction.digit == claim.digit,
            Prediction.label.is_(None) if claim.label is None else Prediction.label == claim.label,
            Prediction.created_at.between(claim.created_at - WINDOW, claim.created_at + WINDOW),
        )
        .order_by(Prediction.created_at.desc(), Prediction.id.desc())
        .limit(MOST_COMPARED)
    )
    rows = [(visitor, pixels) for visitor, pixels in db.session.execute(query) if len(pixels) == SIDE * SIDE]
    if not rows:
        return 0
    cosines = _unit_vectors([pixels for _, pixels in rows]) @ _unit_vectors([claim.input])[0]
    alike = {visitor for (visitor, _), cosine in zip(rows, cosines, strict=True) if cosine >= ALIKE_FROM}
    return len(alike - {claim.visitor})


def _unit_vectors(inputs: Sequence[bytes]) -> NDArray[np.float32]:
    vectors = np.frombuffer(b"".join(inputs), np.uint8).reshape(-1, SIDE * SIDE).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1)
    return unit
