"""Challenges: rounds of ten digits that visitors were asked to draw, beside the log of their drawings."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from mnistweb.database.models import Challenge
from mnistweb.extensions import db

LIFETIME = timedelta(hours=1)
"""Time in which a challenge takes drawings: without the clock, each digit may take minutes."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The digit that a challenge asks for at one of its places, which are counted from 0."""

    challenge: uuid.UUID
    place: int
    digit: int

    @property
    def key(self) -> str:
        """An idempotency key of the place, so that it gets one drawing. No client can send such a key."""
        return f"challenge\n{self.challenge}\n{self.place}"


def own_challenges(visitor: str, limit: int | None = None) -> Sequence[Challenge]:
    """Return the visitor's challenges, the newest first."""
    query = sa.select(Challenge).where(Challenge.visitor == visitor)
    return db.session.scalars(query.order_by(Challenge.started_at.desc(), Challenge.id).limit(limit)).all()


def count_own_challenges(visitor: str) -> int:
    """Count the visitor's challenges."""
    return db.session.scalar(sa.select(sa.func.count()).where(Challenge.visitor == visitor)) or 0


def delete_challenges(*conditions: sa.ColumnElement[bool]) -> int:
    """Delete the challenges that meet the conditions, without their drawings, and return their number."""
    statement = sa.delete(Challenge).where(*conditions).returning(Challenge.id)
    deleted = db.session.scalars(statement.execution_options(synchronize_session=False)).all()
    db.session.commit()
    return len(deleted)


def delete_challenges_before(moment: datetime) -> int:
    """Delete the challenges all of whose drawings are from before a moment, and return their number."""
    return delete_challenges(Challenge.started_at < moment - LIFETIME)
