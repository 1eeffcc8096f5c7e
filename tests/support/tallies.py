"""The aggregates as a plain dictionary."""

from typing import Any

from sqlalchemy import func, select

from mnistweb.database.models import ConfidenceTally, DoubtTally, PromptTally, Tally
from mnistweb.extensions import db

Counts = dict[tuple[Any, ...], Any]


def counted() -> Counts:
    """Return all nonzero counts, summed over shards, and confidences rounded to nine decimals."""
    found: Counts = {}
    for table, mark in ((Tally, ()), (DoubtTally, ("in doubt",)), (PromptTally, ("asked for",))):
        key = (table.span, table.start, table.model, table.digit, table.label)
        rows = db.session.execute(select(*key, func.sum(table.count)).group_by(*key))
        found |= {(*each[:-1], *mark): each[-1] for each in rows if each[-1]}
    for each in db.session.scalars(select(ConfidenceTally).where(ConfidenceTally.count != 0)):
        confidence_key = (each.span, each.start, each.model, each.tenth, each.correct, "confidence")
        found[confidence_key] = each.count, round(each.confidence, 9)
    db.session.expire_all()
    db.session.rollback()
    return found
