"""Feedback: a visitor's claim about the true digit of their own drawing."""

import uuid
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, and_, bindparam, case, func, select, update

from mnistweb.current import current_site
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.observability.signals import labelled
from mnistweb.predictions import aggregates
from mnistweb.predictions.queries import get
from mnistweb.proportion import Proportion
from mnistweb.recognition.errors import UserError

FORM_LABELS = {str(digit): digit for digit in range(10)} | {"none": None}
"""Labels by the text that a form sends."""
IS_CORRECT = and_(
    Prediction.labelled_at.is_not(None), Prediction.digit.is_not_distinct_from(Prediction.label)
)
# Made once: it is executed for each answer on the page, and takes longer to make than to execute.
ACCURACY = select(
    func.count(Prediction.labelled_at), func.coalesce(func.sum(case((IS_CORRECT, 1), else_=0)), 0)
).where(Prediction.visitor == bindparam("visitor"))


def label_from_form(text: str) -> int | None:
    """Read a label from a form field: 0..9, or None for "none". Raises UserError (invalid_label)."""
    if text not in FORM_LABELS:
        raise _invalid_label()
    return FORM_LABELS[text]


def label_from_json(value: object) -> int | None:
    """Read a label from JSON: 0..9, or None for null. Raises UserError (invalid_label)."""
    # `True` is an int to Python; 3.0 is the integer 3 to JSON.
    if value is not None and (isinstance(value, bool) or value not in range(10)):
        raise _invalid_label()
    return None if value is None else int(cast(float, value))


def check_judged(prediction_id: uuid.UUID, judged: str | None) -> None:
    """Check that a form judges the prediction it is sent to; `judged` is the id that the form names.

    None is a client without that field. Raises UserError (feedback_mismatch).
    """
    if judged is not None and judged != str(prediction_id):
        raise UserError(
            "feedback_mismatch", "This correction was meant for another drawing, so it wasn’t saved."
        )


def give_feedback(prediction_id: uuid.UUID, visitor: str, label: int | None) -> Prediction:
    """Record `label` (0..9, or None: not a digit) for one of the visitor's own predictions, and commit.

    Feedback that repeats the recorded label changes nothing. Raises NotFound for anyone but the author.
    """
    while not _set_label(get(prediction_id, visitor), label):
        db.session.rollback()
    return get(prediction_id, visitor)


def accuracy(visitor: str) -> Proportion:
    """Compute how many of the visitor's predictions with feedback were correct."""
    labelled_count, correct_count = db.session.execute(ACCURACY, {"visitor": visitor}).one()
    return Proportion(correct_count, labelled_count)


def _set_label(prediction: Prediction, label: int | None) -> bool:
    # Compare and swap: the update applies only while the row still holds the label that was read, because the
    # aggregates subtract that one. Returns False if a concurrent request changed the label first.
    if prediction.labelled and prediction.label == label:
        return True
    before = aggregates.Fact.of(prediction)
    after = before._replace(label=label, labelled_at=datetime.now(UTC))
    result = db.session.execute(
        update(Prediction)
        .where(
            Prediction.id == prediction.id,
            Prediction.labelled_at.is_not_distinct_from(before.labelled_at),
            Prediction.label.is_not_distinct_from(before.label),
        )
        .values(label=after.label, labelled_at=after.labelled_at)
        .execution_options(synchronize_session=False)
    )
    if not cast(CursorResult[Any], result).rowcount:
        return False
    aggregates.apply_changes(db.session(), removed=[before], added=[after])
    db.session.commit()
    verdict = "right" if label == prediction.digit else "wrong"
    labelled.send(current_site(), verdict=verdict)
    return True


def _invalid_label() -> UserError:
    return UserError("invalid_label", "The correct digit must be 0 to 9, or none.")
