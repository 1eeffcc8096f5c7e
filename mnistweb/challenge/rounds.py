"""Rounds of the challenge: begin, check what is drawn, finish, and delete."""

import random
import uuid
from datetime import UTC, datetime

import sqlalchemy as sa

from mnistweb.database.models import Challenge, Prediction
from mnistweb.extensions import db
from mnistweb.predictions.challenges import LIFETIME, Prompt, delete_challenges
from mnistweb.predictions.store import delete_own_of_challenge
from mnistweb.recognition.errors import UserError


class ChallengeNotFound(UserError):
    """Missing challenge, or one of another visitor."""

    def __init__(self) -> None:
        super().__init__("not_found", "This challenge doesn’t exist, or its author deleted it.")


def begin(visitor: str) -> Challenge:
    """Begin a challenge that asks for each digit once, in random order, and commit."""
    challenge = Challenge(
        id=uuid.uuid4(), visitor=visitor, started_at=datetime.now(UTC), prompts=random.sample(range(10), 10)
    )
    db.session.add(challenge)
    db.session.commit()
    return challenge


def find(challenge_id: uuid.UUID, visitor: str | None = None) -> Challenge:
    """Return a challenge by id; with a `visitor`, only if it is theirs. Raises ChallengeNotFound."""
    challenge = db.session.get(Challenge, challenge_id, populate_existing=True)
    if challenge is None or visitor not in (None, challenge.visitor):
        raise ChallengeNotFound
    return challenge


def prompt_at(challenge_id: uuid.UUID, visitor: str, place: int, digit: str) -> Prompt:
    """Return the prompt of a place of the visitor's challenge, if it asks for `digit` there.

    Raises ChallengeNotFound, or UserError: challenge_over, challenge_mismatch.
    """
    challenge = find(challenge_id, visitor)
    if challenge.finished_at or datetime.now(UTC) - challenge.started_at > LIFETIME:
        raise UserError("challenge_over", "This round is over, so the drawing wasn’t saved.")
    if place >= len(challenge.prompts) or digit != str(challenge.prompts[place]):
        raise UserError("challenge_mismatch", "This round asked for another digit, so it wasn’t saved.")
    return Prompt(challenge_id, place, challenge.prompts[place])


def check_saved(challenge_id: uuid.UUID, visitor: str) -> None:
    """Look again for the challenge of a drawing that is now saved; delete the drawing if it is gone.

    Raises ChallengeNotFound.
    """
    try:
        find(challenge_id, visitor)
    except ChallengeNotFound:
        delete_own_of_challenge(challenge_id, visitor)
        raise


def finish(challenge_id: uuid.UUID, visitor: str, seconds: float | None) -> None:
    """Finish the visitor's challenge and commit; `seconds` of drawing, None without the clock.

    The time is the page's, but never longer than since the beginning. A finished challenge stays as it is.
    Raises ChallengeNotFound.
    """
    challenge, now = find(challenge_id, visitor), datetime.now(UTC)
    if seconds is not None:
        seconds = min(seconds, (now - challenge.started_at).total_seconds())
    drawn = sa.select(sa.func.count()).where(Prediction.challenge == challenge_id)
    db.session.execute(
        sa.update(Challenge)
        .where(Challenge.id == challenge_id, Challenge.finished_at.is_(None))
        .values(finished_at=now, seconds=seconds, drawn=drawn.scalar_subquery())
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def delete(challenge_id: uuid.UUID, visitor: str) -> None:
    """Delete the visitor's challenge with its drawings, and commit. Raises ChallengeNotFound."""
    find(challenge_id, visitor)
    # First: a drawing saved too late to be deleted here finds it gone, in `check_saved`.
    delete_challenges(Challenge.id == challenge_id, Challenge.visitor == visitor)
    delete_own_of_challenge(challenge_id, visitor)
