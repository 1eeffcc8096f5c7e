"""Certainty of an answer, by boundaries that an operator may move."""

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """The three answers: a sure digit, a digit in doubt, and "not a digit"."""

    SURE = "sure"
    DOUBTFUL = "doubtful"
    NOT_A_DIGIT = "not_a_digit"


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The two probabilities 0..1 from which an answer is "not a digit", or else a sure digit."""

    sure: float
    not_a_digit: float

    def certainty(self, confidence: float, not_a_digit: float) -> Certainty:
        """Choose among the three answers.

        `confidence` 0..1 is the probability of the likeliest digit, `not_a_digit` that of none.
        """
        if not_a_digit >= self.not_a_digit:
            return Certainty.NOT_A_DIGIT
        return Certainty.SURE if confidence >= self.sure else Certainty.DOUBTFUL
