"""Moderation: the operator hides drawings from the public, or approves them for a reviewed history."""

import uuid
from collections.abc import Collection

from sqlalchemy import update

from mnistweb.database.models import Prediction, Review
from mnistweb.extensions import db
from mnistweb.predictions.visibility import HIDDEN


def set_review(prediction_ids: Collection[uuid.UUID], review: Review) -> set[uuid.UUID]:
    """Approve or hide these drawings, commit, and return the ids of those that exist."""
    return _update(prediction_ids, review)


def unhide(prediction_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Take back the hiding of these drawings, commit, and return the ids of those that were hidden."""
    return _update(prediction_ids, None, hidden_only=True)


def _update(
    prediction_ids: Collection[uuid.UUID], review: Review | None, *, hidden_only: bool = False
) -> set[uuid.UUID]:
    statement = update(Prediction).where(Prediction.id.in_(prediction_ids)).values(review=review)
    if hidden_only:
        statement = statement.where(HIDDEN)
    changed = db.session.scalars(
        statement.returning(Prediction.id).execution_options(synchronize_session=False)
    ).all()
    db.session.commit()
    return {*changed}
