"""Likeness: claims that several visitors made of almost the same drawing, as one person with many names."""

import uuid
from collections import defaultdict
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
"""Time before and after the claims of a page in which others are compared."""
MOST_COMPARED = 100
"""Claims that are compared for each pair of answer and claim."""
Pair = tuple[int | None, int | None]


def similar_claims(predictions: Sequence[Prediction]) -> dict[uuid.UUID, int]:
    """Count for each claimed drawing the other visitors who drew almost the same and claim the same.

    The columns of the inputs must be loaded.
    """
    by_pair: defaultdict[Pair, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        if prediction.labelled and len(prediction.input) == SIDE * SIDE:
            by_pair[prediction.digit, prediction.label].append(prediction)
    found: dict[uuid.UUID, int] = {}
    for pair, claims in by_pair.items():
        others = _others(pair, claims)
        if others:
            found |= _count(claims, others)
    return found


def _others(pair: Pair, claims: Sequence[Prediction]) -> list[tuple[str, bytes]]:
    times = [claim.created_at for claim in claims]
    digit, label = pair
    query = (
        select(Prediction.visitor, Prediction.input)
        .where(
            Prediction.labelled_at.is_not(None),
            Prediction.digit.is_(None) if digit is None else Prediction.digit == digit,
            Prediction.label.is_(None) if label is None else Prediction.label == label,
            Prediction.created_at.between(min(times) - WINDOW, max(times) + WINDOW),
        )
        .order_by(Prediction.created_at.desc())
        .limit(MOST_COMPARED)
    )
    rows = db.session.execute(query)
    return [(visitor, pixels) for visitor, pixels in rows if len(pixels) == SIDE * SIDE]


def _count(claims: Sequence[Prediction], others: Sequence[tuple[str, bytes]]) -> dict[uuid.UUID, int]:
    cosines = _unit_vectors([claim.input for claim in claims]) @ _unit_vectors([each for _, each in others]).T
    counted = {}
    for claim, row in zip(claims, cosines, strict=True):
        alike = {visitor for (visitor, _), cosine in zip(others, row, strict=True) if cosine >= ALIKE_FROM}
        if number := len(alike - {claim.visitor}):
            counted[claim.id] = number
    return counted


def _unit_vectors(inputs: Sequence[bytes]) -> NDArray[np.float32]:
    vectors = np.frombuffer(b"".join(inputs), np.uint8).reshape(-1, SIDE * SIDE).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1)
    return unit
