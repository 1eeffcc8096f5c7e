"""Visibility: which drawings a visitor may see, by PUBLIC_HISTORY and by the operator's review."""

import enum

from sqlalchemy import ColumnElement, false, or_

from mnistweb.database.models import Prediction, Review
from mnistweb.predictions.filters import Conditions, Filter


class Audience(enum.StrEnum):
    """The values of PUBLIC_HISTORY: the drawings that visitors may see besides their own."""

    EVERYONE = "everyone"  # all but the hidden ones
    REVIEWED = "reviewed"  # the approved ones
    OWN = "own"  # none
    OFF = "off"  # none, and no history


HIDDEN = Prediction.review == Review.HIDDEN
APPROVED = Prediction.review == Review.APPROVED
PUBLIC = {
    # Null is distinct, too.
    Audience.EVERYONE: Prediction.review.is_distinct_from(Review.HIDDEN),
    Audience.REVIEWED: APPROVED,
}
"""The condition of a public drawing, for the audiences that have any."""


def may_see(visitor: str, audience: Audience) -> ColumnElement[bool]:
    """Return the condition of a drawing that the visitor may see: a public one, or their own."""
    return or_(PUBLIC.get(audience, false()), Prediction.visitor == visitor)


def listed(criteria: Filter, visitor: str, audience: Audience) -> Conditions:
    """Return the conditions of a list for the visitor.

    A reviewed history lists approved drawings alone, because an index holds them in order. Visitors find
    their others with `mine`.
    """
    conditions = criteria.conditions(visitor)
    if criteria.mine:
        return conditions
    return [*conditions, APPROVED if audience is Audience.REVIEWED else may_see(visitor, audience)]


def is_public(prediction: Prediction, audience: Audience) -> bool:
    """Return whether everyone may see a drawing."""
    if audience is Audience.REVIEWED:
        return prediction.review is Review.APPROVED
    return audience is Audience.EVERYONE and prediction.review is not Review.HIDDEN
