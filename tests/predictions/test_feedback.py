from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.feedback import accuracy, give_feedback, label_from_form, label_from_json
from mnistweb.predictions.queries import get
from mnistweb.proportion import Proportion
from mnistweb.recognition.errors import UserError
from tests.support.rows import NOON, add, row


def test_repeated_feedback_changes_nothing(app: Flask) -> None:
    with app.app_context():
        [prediction_id] = add(row())
        first = give_feedback(prediction_id, "someone", 3).labelled_at
        assert first is not None
        assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)
        assert give_feedback(prediction_id, "someone", 3).labelled_at == first
        later = give_feedback(prediction_id, "someone", None)
        assert later.label is None
        assert later.labelled_at is not None
        assert later.labelled_at > first
        again = give_feedback(prediction_id, "someone", None)
        assert again.labelled_at == later.labelled_at


@pytest.mark.parametrize("value", [-1, 10, 3.5, True, "3", "none", [], {}, "", float("nan"), 1e308])
def test_other_json_labels_are_rejected(value: object) -> None:
    with pytest.raises(UserError) as raised:
        label_from_json(value)
    assert raised.value.code == "invalid_label"


def test_json_label_may_be_an_integral_float() -> None:
    assert (label_from_json(3.0), label_from_json(0), label_from_json(None)) == (3, 0, None)


@pytest.mark.parametrize("text", ["", "10", "-1", "³", "3.0", "null"])
def test_other_form_labels_are_rejected(text: str) -> None:
    with pytest.raises(UserError) as raised:
        label_from_form(text)
    assert raised.value.code == "invalid_label"


def test_form_labels_are_parsed() -> None:
    assert [label_from_form(text) for text in ("0", "9", "none")] == [0, 9, None]


def test_only_the_author_can_give_feedback(app: Flask) -> None:
    with app.app_context():
        [prediction_id] = add(row())
        with pytest.raises(NotFound):
            give_feedback(prediction_id, "another", 3)
        assert not get(prediction_id).labelled


def test_accuracy_counts_own_predictions_with_feedback(app: Flask) -> None:
    with app.app_context():
        assert accuracy("someone") == Proportion(0, 0)
        assert accuracy("someone").value == 0
        add(
            row(digit=3, label=3, labelled_at=NOON),
            row(digit=3, label=8, labelled_at=NOON),
            row(digit=None, label=None, labelled_at=NOON),
            row(digit=3, label=None, labelled_at=NOON),
            row(digit=None, label=3, labelled_at=NOON),
            row(digit=3),
            row(digit=None),
            row(digit=3, label=3, labelled_at=NOON, visitor="another"),
        )
        found = accuracy("someone")
        assert (found.total, found.part, found.value) == (5, 2, 0.4)
