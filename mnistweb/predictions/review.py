"""Reviews: the operator's decision on what a drawing is, and the record of who decided what.

Feedback is a claim. A decision is the label that data sets take, and changes neither the author's feedback
nor their accuracy. This module alone writes `Prediction.decision`, `Prediction.truth` and `ReviewDecision`.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update

from mnistweb.database.models import Decision, Prediction, ReviewDecision
from mnistweb.extensions import db
from mnistweb.predictions.reviewed_labels import Labels, ReviewedLabel, label_before, label_of

BATCH = 500
"""Drawings that a transaction decides on, so that their authors wait for it only briefly."""


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


def decide_each(labels: Labels, reviewer: str, seen: Labels | None = None) -> Decided:
    """Give each drawing its reviewed label, commit, and return those that got it.

    `seen` are the labels that the reviewer knew of: a drawing that has another one by now stays as it is.
    """
    moment, done = datetime.now(UTC), set[uuid.UUID]()
    ids = sorted(labels)
    for first in range(0, len(ids), BATCH):
        batch = {each: labels[each] for each in ids[first : first + BATCH]}
        done |= _decide_batch(batch, reviewer, seen, moment)
        db.session.commit()
    return Decided(moment, done)


def take_back(decisions: Iterable[ReviewDecision], reviewer: str) -> Decided:
    """Restore the labels before these decisions, where they are still in force, and commit."""
    decisions = list(decisions)
    before = {each.prediction_id: label_before(each) for each in decisions}
    return decide_each(before, reviewer, {each.prediction_id: label_of(each) for each in decisions})


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


def _decide_batch(labels: Labels, reviewer: str, seen: Labels | None, moment: datetime) -> set[uuid.UUID]:
    # Locked in the same order by all reviewers. SQLite locks nothing here, hence the condition of the update.
    query = select(Prediction.id, Prediction.decision, Prediction.truth).where(Prediction.id.in_(labels))
    present = db.session.execute(query.order_by(Prediction.id).with_for_update()).all()
    changes: defaultdict[tuple[ReviewedLabel, ReviewedLabel], list[uuid.UUID]] = defaultdict(list)
    done = set[uuid.UUID]()
    for row in present:
        before, after = ReviewedLabel(row.decision, row.truth), labels[row.id]
        if seen is not None and seen.get(row.id) != before:
            continue
        if before == after:
            done.add(row.id)
        else:
            changes[before, after].append(row.id)
    for (before, after), ids in changes.items():
        done |= _change(ids, before, after, reviewer, moment)
    return done


def _change(
    ids: Collection[uuid.UUID],
    before: ReviewedLabel,
    after: ReviewedLabel,
    reviewer: str,
    moment: datetime,
) -> set[uuid.UUID]:
    changed = db.session.execute(
        update(Prediction)
        .where(
            Prediction.id.in_(ids),
            Prediction.decision.is_not_distinct_from(before.decision),
            Prediction.truth.is_not_distinct_from(before.truth),
        )
        .values(decision=after.decision, truth=after.truth)
        .returning(Prediction.id, Prediction.digit, Prediction.label, Prediction.labelled_at)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        shared = {
            "decided_at": moment,
            "reviewer": reviewer,
            "decision": after.decision,
            "truth": after.truth,
            "decision_before": before.decision,
            "truth_before": before.truth,
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
