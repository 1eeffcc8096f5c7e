"""Reviews: the operator's decision on what a drawing is, and the record of who decided what.

Feedback is a claim. A decision is the label that data sets take, and changes neither the author's feedback
nor their accuracy. This module alone writes `Prediction.decision`, `Prediction.truth` and `ReviewDecision`.
A Hide also writes the moderation, in the same statement, and its row remembers the one before.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update

from mnistweb.database.models import Decision, Prediction, Review, ReviewDecision
from mnistweb.extensions import db
from mnistweb.predictions.review_changes import Change, State
from mnistweb.predictions.reviewed_labels import Labels, ReviewedLabel

BATCH = 500
"""Drawings that a transaction decides on, so that their authors wait for it only briefly."""
NextState = Callable[[uuid.UUID, State], State | None]
"""The state that a drawing gets, by its id and its present state; None leaves it alone."""


class Decided(NamedTuple):
    """The drawings that were decided on together, and when."""

    moment: datetime
    ids: set[uuid.UUID]


def decide(
    prediction_ids: Collection[uuid.UUID], decision: Decision | None, truth: int | None, reviewer: str
) -> set[uuid.UUID]:
    """Give all of these drawings the same reviewed label, commit, and return the ids of those that got it.

    `truth` is the digit 0..9 for DIGIT, and else None. Without a decision, the label is taken back.
    """
    return decide_each(dict.fromkeys(prediction_ids, ReviewedLabel(decision, truth)), reviewer).ids


def decide_each(labels: Labels, reviewer: str, seen: Labels | None = None, *, hide: bool = False) -> Decided:
    """Give each drawing its reviewed label, commit, and return those that got it.

    `seen` are the labels that the reviewer knew of: a drawing that has another one by now stays as it is.
    With `hide`, those that get their label are also hidden from the public.
    """

    def decided(drawing: uuid.UUID, present: State) -> State | None:
        if seen is not None and seen.get(drawing) != present.label:
            return None
        return State(labels[drawing], Review.HIDDEN if hide else present.review)

    return _change_each(labels, decided, reviewer)


def take_back(decisions: Iterable[ReviewDecision], reviewer: str) -> Decided:
    """Restore labels and moderation before these decisions, where they are still in force, and commit."""
    made = {each.prediction_id: Change.of(each) for each in decisions}
    return _change_each(made, lambda drawing, present: made[drawing].undone(present), reviewer)


def decisions_at(moment: datetime, reviewer: str) -> Sequence[ReviewDecision]:
    """Return the decisions that the reviewer made together."""
    query = select(ReviewDecision).where(
        ReviewDecision.reviewer == reviewer, ReviewDecision.decided_at == moment
    )
    return db.session.scalars(query).all()


def labels_of(ids: Collection[uuid.UUID]) -> Labels:
    """Return the present labels of these drawings, of those that exist."""
    query = select(Prediction.id, Prediction.decision, Prediction.truth).where(Prediction.id.in_(ids))
    return {row.id: ReviewedLabel(row.decision, row.truth) for row in db.session.execute(query)}


def _change_each(drawings: Collection[uuid.UUID], next_state: NextState, reviewer: str) -> Decided:
    moment, done = datetime.now(UTC), set[uuid.UUID]()
    ids = sorted(drawings)
    for first in range(0, len(ids), BATCH):
        done |= _change_batch(ids[first : first + BATCH], next_state, reviewer, moment)
        db.session.commit()
    return Decided(moment, done)


def _change_batch(
    ids: Collection[uuid.UUID], next_state: NextState, reviewer: str, moment: datetime
) -> set[uuid.UUID]:
    # Locked in the same order by all reviewers. SQLite locks nothing here, hence the condition of the update.
    query = select(Prediction.id, Prediction.decision, Prediction.truth, Prediction.review)
    query = query.where(Prediction.id.in_(ids)).order_by(Prediction.id).with_for_update()
    changes: defaultdict[Change, list[uuid.UUID]] = defaultdict(list)
    done = set[uuid.UUID]()
    for row in db.session.execute(query).all():
        before = State(ReviewedLabel(row.decision, row.truth), row.review)
        after = next_state(row.id, before)
        if after == before:
            done.add(row.id)
        elif after is not None:
            changes[Change(before, after)].append(row.id)
    for change, changed in changes.items():
        done |= _apply(change, changed, reviewer, moment)
    return done


def _apply(change: Change, ids: Collection[uuid.UUID], reviewer: str, moment: datetime) -> set[uuid.UUID]:
    before, after = change
    changed = db.session.execute(
        update(Prediction)
        .where(
            Prediction.id.in_(ids),
            Prediction.decision.is_not_distinct_from(before.label.decision),
            Prediction.truth.is_not_distinct_from(before.label.truth),
            Prediction.review.is_not_distinct_from(before.review),
        )
        .values(decision=after.label.decision, truth=after.label.truth, review=after.review)
        .returning(Prediction.id, Prediction.digit, Prediction.label, Prediction.labelled_at)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        shared = {
            "decided_at": moment,
            "reviewer": reviewer,
            "decision": after.label.decision,
            "truth": after.label.truth,
            "decision_before": before.label.decision,
            "truth_before": before.label.truth,
            "review": after.review,
            "review_before": before.review,
        }
        rows = [
            {
                "id": uuid.uuid4(),
                "prediction_id": row.id,
                "digit": row.digit,
                "label": row.label,
                "labelled": row.labelled_at is not None,
                **shared,
            }
            for row in changed
        ]
        db.session.execute(insert(ReviewDecision), rows)
    return {row.id for row in changed}
