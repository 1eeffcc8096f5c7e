"""Changes that decisions of the review make to drawings: their labels, and with a Hide the moderation."""

from typing import NamedTuple

from mnistweb.database.models import Review, ReviewDecision
from mnistweb.predictions.reviewed_labels import ReviewedLabel, label_before, label_of


class State(NamedTuple):
    """The reviewed label of a drawing, and the moderation, which says who may see it."""

    label: ReviewedLabel
    review: Review | None


class Change(NamedTuple):
    """The states of a drawing before and after a decision."""

    before: State
    after: State

    @classmethod
    def of(cls, decision: ReviewDecision) -> "Change":
        """Return what a decision changed."""
        return cls(
            State(label_before(decision), decision.review_before),
            State(label_of(decision), decision.review),
        )

    @property
    def hides(self) -> bool:
        """True if it took the drawing from the public."""
        return Review.HIDDEN is self.after.review is not self.before.review

    @property
    def shows_again(self) -> bool:
        """True if it took back that the drawing was hidden."""
        return Review.HIDDEN is self.before.review is not self.after.review

    def takes_back(self, earlier: "Change") -> bool:
        """Return if it restored the label before `earlier`, and the moderation as far as it changed that."""
        labels = (self.before.label, self.after.label) == (earlier.after.label, earlier.before.label)
        untouched = self.before.review is self.after.review
        restored = (self.before.review, self.after.review) == (earlier.after.review, earlier.before.review)
        return labels and (untouched or restored)

    def undone(self, present: State) -> State | None:
        """Return the state that taking it back leads to; None where the label is another one by now.

        The operator's later word on the drawing stays.
        """
        if present.label != self.after.label:
            return None
        untouched = present.review is self.after.review
        return State(self.before.label, self.before.review if untouched else present.review)
