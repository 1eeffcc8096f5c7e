"""Trust: how many of a visitor's claims the reviews contradicted."""

from collections.abc import Collection

from sqlalchemy import Select, and_, case, func, or_, select

from mnistweb.database.models import Decision, Prediction
from mnistweb.extensions import db
from mnistweb.proportion import Proportion

MIN_CONTRADICTED = 2
"""Contradicted claims from which on a visitor may be distrusted: anyone slips once."""
MOST_DISTRUSTED = 50
"""Visitors that are distrusted at a time, those with the most contradicted claims."""
REVIEWED_CLAIM = and_(Prediction.decision.is_not(None), Prediction.labelled_at.is_not(None))
CONTRADICTED = or_(
    Prediction.decision == Decision.REJECTED, Prediction.truth.is_distinct_from(Prediction.label)
)
"""A reviewed claim that turned out to be untrue, or whose drawing was rejected with it."""
_REVIEWED = func.count().label("reviewed")
_CONTRADICTED = func.sum(case((CONTRADICTED, 1), else_=0)).label("contradicted")


def contradicted_claims(visitors: Collection[str]) -> dict[str, Proportion]:
    """Return which part of each visitor's reviewed claims was contradicted, of those who have any."""
    rows = db.session.execute(_by_visitor().where(Prediction.visitor.in_(visitors)))
    return {visitor: Proportion(int(contradicted), total) for visitor, total, contradicted in rows}


def distrusted_visitors() -> list[str]:
    """Return the visitors most of whose reviewed claims were contradicted."""
    query = (
        _by_visitor()
        .having(_CONTRADICTED >= MIN_CONTRADICTED, 2 * _CONTRADICTED > _REVIEWED)
        .order_by(_CONTRADICTED.desc(), Prediction.visitor)
        .limit(MOST_DISTRUSTED)
    )
    return [visitor for visitor, *_ in db.session.execute(query)]


def _by_visitor() -> Select[str, int, int]:
    return (
        select(Prediction.visitor, _REVIEWED, _CONTRADICTED)
        .where(REVIEWED_CLAIM)
        .group_by(Prediction.visitor)
    )
