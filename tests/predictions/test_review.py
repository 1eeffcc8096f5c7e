"""Decisions of reviews, trust, and the queue."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from mnistweb.database.models import Decision, Prediction, ReviewDecision
from mnistweb.extensions import db
from mnistweb.predictions import review, store, trust
from mnistweb.predictions.feedback import accuracy, give_feedback
from mnistweb.predictions.retention import prune
from mnistweb.predictions.review import decide, decide_each, take_back
from mnistweb.predictions.review_queue import Part, Queue, reviewed_count
from mnistweb.predictions.reviewed_labels import REJECTED, UNDECIDED, ReviewedLabel, label_before, label_of
from mnistweb.proportion import Proportion
from mnistweb.recognition.errors import UserError
from tests.support.rows import NOON, add, row

SEVEN = ReviewedLabel.of(7)


def labels(ids: list[uuid.UUID]) -> list[str]:
    found = {each.id: label_of(each).code for each in db.session.scalars(db.select(Prediction))}
    return [found[each] for each in ids]


def decisions() -> list[ReviewDecision]:
    return list(db.session.scalars(db.select(ReviewDecision).order_by(ReviewDecision.decided_at)))


def test_it_is_kept_who_decided_what_when_and_from_what(app: Flask) -> None:
    with app.app_context():
        [one, other] = add(row(digit=3, label=7, labelled_at=NOON), row(digit=None))
        assert decide([one, other, uuid.uuid4()], Decision.DIGIT, 7, "Ada") == {one, other}
        decide([one], Decision.NOT_A_DIGIT, None, "Bob")
        assert labels([one, other]) == ["none", "7"]
        made = [each for each in decisions() if each.prediction_id == one]
        assert [each.reviewer for each in made] == ["Ada", "Bob"]
        assert [label_of(each).words for each in made] == ["a seven", "not a digit"]
        assert [label_before(each).words for each in made] == ["not reviewed", "a seven"]
        assert {(each.digit, each.label, each.labelled) for each in made} == {(3, 7, True)}
        assert datetime.now(UTC) - made[0].decided_at < timedelta(minutes=1)
        assert str(reviewed_count()) == "2"


def test_a_decision_that_changes_nothing_is_not_recorded(app: Flask) -> None:
    with app.app_context():
        ids = add(row())
        assert decide(ids, Decision.DIGIT, 7, "Ada") == decide(ids, Decision.DIGIT, 7, "Bob") == {*ids}
        assert len(decisions()) == 1


def test_what_another_reviewer_decided_meanwhile_stays(app: Flask) -> None:
    with app.app_context():
        [one, other] = add(row(), row())
        seen = dict.fromkeys([one, other], UNDECIDED)
        decide([one], Decision.DIGIT, 4, "Ada")
        assert decide_each(dict.fromkeys([one, other], SEVEN), "Bob", seen).ids == {other}
        assert labels([one, other]) == ["4", "7"]
        assert len(decisions()) == 2


def test_decisions_made_together_are_taken_back_together(app: Flask) -> None:
    with app.app_context():
        [one, other, third] = add(row(), row(), row())
        decide([one], Decision.DIGIT, 4, "Ada")
        moment, _ = decide_each({one: SEVEN, other: REJECTED, third: SEVEN}, "Ada")
        decide([third], Decision.DIGIT, 1, "Bob")
        assert take_back(review.decisions_at(moment, "Ada"), "Ada").ids == {one, other}
        assert labels([one, other, third]) == ["4", "", "1"]
        assert not review.decisions_at(moment, "Bob")


def test_many_drawings_are_decided_in_batches(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "BATCH", 2)
    with app.app_context():
        ids = add(*(row() for _ in range(5)))
        assert decide(ids, Decision.REJECTED, None, "Ada") == {*ids}
        assert len({each.decided_at for each in decisions()}) == 1


@pytest.mark.parametrize("code", ["", "0", "9", "none", "rejected"])
def test_labels_have_codes(code: str) -> None:
    assert ReviewedLabel.parse(code).code == code


@pytest.mark.parametrize("code", ["10", "-1", "digit", "Rejected"])
def test_other_codes_are_refused(code: str) -> None:
    with pytest.raises(UserError):
        ReviewedLabel.parse(code)


def test_feedback_and_accuracy_stay_the_authors(app: Flask) -> None:
    with app.app_context():
        [one] = add(row(digit=3))
        give_feedback(one, "someone", 3)
        decide([one], Decision.DIGIT, 7, "Ada")
        assert accuracy("someone") == Proportion(1, 1)
        assert give_feedback(one, "someone", 4).truth == 7


def test_deleted_drawings_leave_the_review(app: Flask) -> None:
    with app.app_context():
        ids = add(row(), row(), row(visitor="another"), row(created_at=NOON - timedelta(days=9)))
        decide(ids, Decision.DIGIT, 7, "Ada")
        store.delete_own(ids[0], "someone")
        assert len(decisions()) == 3
        assert list(prune(NOON.date())) == [1]
        assert len(decisions()) == 2
        store.delete_all_own("someone")
        assert [each.prediction_id for each in decisions()] == [ids[2]]


def test_trust_is_the_share_of_claims_that_reviews_contradicted(app: Flask) -> None:
    with app.app_context():
        liar = add(*(row(visitor="liar", label=7, labelled_at=NOON) for _ in range(5)))
        honest = add(
            *(row(visitor="honest", label=7, labelled_at=NOON) for _ in range(3)), row(visitor="honest")
        )
        none = add(row(visitor="none", label=None, labelled_at=NOON))
        decide([*honest[:2], liar[0]], Decision.DIGIT, 7, "Ada")
        decide([honest[2], liar[1]], Decision.DIGIT, 1, "Ada")
        decide([honest[3], *none], Decision.NOT_A_DIGIT, None, "Ada")
        decide([liar[2]], Decision.REJECTED, None, "Ada")
        assert trust.contradicted_claims(["liar", "honest", "none", "unknown"]) == {
            "liar": Proportion(2, 3),
            "honest": Proportion(1, 3),
            "none": Proportion(0, 1),
        }
        assert trust.distrusted_visitors() == ["liar"]


def queue_of(app: Flask) -> dict[str, uuid.UUID]:
    """Add one drawing or more of each part, and return their ids by name in the order of doubt."""

    def claimed(visitor: str = "someone", created_at: datetime = NOON, **fields: object) -> Prediction:
        return row(created_at, visitor, label=3, labelled_at=NOON, **fields)

    lies = add(*(claimed("liar", digit=1) for _ in range(2)))
    decide(lies, Decision.DIGIT, 1, "Ada")
    rows = {
        "a liar who agrees": claimed("liar"),
        "surely something else": claimed(digit=4, confidence=0.99, prompt=4),
        "perhaps something else": claimed(digit=None, confidence=0.6, prompt=8),
        "surely not the prompt": row(digit=4, confidence=0.98, prompt=9),
        "a refused prompt": row(digit=None, confidence=0.5, prompt=9),
        "least sure": row(confidence=0.3, doubtful=True),
        "doubtful, and the author agrees": claimed(confidence=0.4, doubtful=True),
        "hardly refused": row(digit=None, confidence=0.5),
        "refused": row(digit=None, confidence=0.9),
        "new": row(created_at=NOON + timedelta(1)),
        "the prompt": row(created_at=NOON, prompt=3, confidence=0.95),
        "old": claimed(created_at=NOON - timedelta(1)),
    }
    return dict(zip(rows, add(*reversed(rows.values()))[::-1], strict=True))


def test_the_most_doubtful_come_first_and_each_once(app: Flask) -> None:
    with app.app_context():
        ids = queue_of(app)
        names = {found: name for name, found in ids.items()}
        for limit in (1, 2, 5, 100):
            cursor: str | None = None
            shown = list[str]()
            while True:
                page = Queue().page(cursor, limit)
                shown += [names[prediction.id] for _, prediction in page.items]
                cursor = page.next
                if cursor is None:
                    break
            assert shown == [*ids], limit
        counted = {part: count.number for part, count in Queue().counts().items()}
        assert [*counted.values()] == [1, 2, 2, 2, 2, 3]
        for part in Part:
            items = Queue(part).page(None, 100).items
            assert len(items) == counted[part]
            assert {each for each, _ in items} == {part}


def test_further_conditions_narrow_the_queue(app: Flask) -> None:
    with app.app_context():
        ids = queue_of(app)
        found = Queue(conditions=[Prediction.prompt == 9]).page(None, 100).items
        assert [each.id for _, each in found] == [ids["surely not the prompt"], ids["a refused prompt"]]


@pytest.mark.parametrize("cursor", ["", "nowhere.", "claims.x", "rest."])
def test_other_cursors_are_refused(app: Flask, cursor: str) -> None:
    with app.app_context(), pytest.raises(UserError):
        Queue(Part.CLAIMS).page(cursor, 5)
