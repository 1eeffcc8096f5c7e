"""The labels that reviews give to drawings."""

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from mnistweb.database.models import Decision, Prediction, ReviewDecision
from mnistweb.predictions.wording import name_of
from mnistweb.recognition.errors import UserError


class ReviewedLabel(NamedTuple):
    """A decision, with the digit if it is DIGIT; without a decision, the drawing is not reviewed yet."""

    decision: Decision | None = None
    truth: int | None = None

    @classmethod
    def of(cls, label: int | None) -> "ReviewedLabel":
        """Return the decision that a drawing is this digit, or for None that it is not a digit."""
        return NOT_A_DIGIT if label is None else cls(Decision.DIGIT, label)

    @classmethod
    def parse(cls, text: str) -> "ReviewedLabel":
        """Read what `code` wrote. Raises UserError (invalid_label)."""
        try:
            return _BY_CODE[text]
        except KeyError:
            raise UserError("invalid_label", "A decision is a digit, none, rejected, or empty.") from None

    @property
    def code(self) -> str:
        """The decision in a form: "7", "none", "rejected", or "" for no decision."""
        return str(self.truth) if self.decision is Decision.DIGIT else self.decision or ""

    @property
    def words(self) -> str:
        """The decision in words, such as "a seven"."""
        if self.decision is None:
            return "not reviewed"
        return "rejected" if self.decision is Decision.REJECTED else name_of(self.truth)


UNDECIDED, NOT_A_DIGIT = ReviewedLabel(), ReviewedLabel(Decision.NOT_A_DIGIT)
REJECTED = ReviewedLabel(Decision.REJECTED)
_BY_CODE = {each.code: each for each in (UNDECIDED, NOT_A_DIGIT, REJECTED, *map(ReviewedLabel.of, range(10)))}
Labels = Mapping[uuid.UUID, ReviewedLabel]


def label_of(row: Prediction | ReviewDecision) -> ReviewedLabel:
    """Return the label of a drawing, or the one that a decision gave."""
    return ReviewedLabel(row.decision, row.truth)


def label_before(decision: ReviewDecision) -> ReviewedLabel:
    """Return the label that a drawing had before a decision."""
    return ReviewedLabel(decision.decision_before, decision.truth_before)
