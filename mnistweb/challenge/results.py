"""Results of a challenge, as its author or somebody else may see them."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from mnistweb.database.models import Challenge, Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.visibility import may_see
from mnistweb.proportion import Proportion
from mnistweb.web.access import audience, has_public, visible_conditions
from mnistweb.web.visitors import known_visitor

OTHERS = 5
"""Drawings of other visitors that are shown beside each."""


class State(enum.StrEnum):
    """The state of a place of a challenge."""

    DRAWN = "drawn"
    WITHHELD = "withheld"  # hidden, or not approved, and not the visitor's own
    GONE = "gone"  # deleted, or not saved
    OPEN = "open"  # not drawn in time


@dataclass(frozen=True, slots=True)
class Place:
    """A digit that a challenge asked for, its drawing, and how others drew that digit."""

    prompt: int
    state: State
    prediction: Prediction | None = None
    others: Sequence[Prediction] = ()

    @property
    def right(self) -> bool:
        """True if a drawing is there, and was read as the digit that was asked for."""
        return self.prediction is not None and self.prediction.digit == self.prompt


@dataclass(frozen=True, slots=True)
class Results:
    """The places of a challenge, in the order in which it asked."""

    challenge: Challenge
    places: Sequence[Place]

    @property
    def shown(self) -> Sequence[Place]:
        """Places with a drawing that is shown."""
        return [place for place in self.places if place.prediction is not None]

    @property
    def misread(self) -> Sequence[Place]:
        """Places whose drawing was read as something else."""
        return [place for place in self.shown if not place.right]

    @property
    def score(self) -> Proportion:
        """Proportion of the shown drawings that were read right."""
        return Proportion(len(self.shown) - len(self.misread), len(self.shown))


@dataclass(frozen=True, slots=True)
class Round:
    """A challenge in a list, and the proportion of its drawings that were read right."""

    challenge: Challenge
    score: Proportion


def load_results(challenge: Challenge) -> Results:
    """Query what the visitor may see of a challenge, and how others drew its digits."""
    own = Prediction.challenge == challenge.id
    kept = set(db.session.scalars(select(Prediction.prompt).where(own)))
    seen = db.session.scalars(select(Prediction).where(own, may_see(known_visitor(), audience())))
    by_prompt = {prediction.prompt: prediction for prediction in seen}
    # Places are drawn in order. A round that was left has no number of them.
    numbered = enumerate(challenge.prompts, 1)
    drawn = max([challenge.drawn or 0, *(number for number, prompt in numbered if prompt in kept)])
    places = []
    for number, prompt in enumerate(challenge.prompts):
        prediction = by_prompt.get(prompt)
        if prediction is not None:
            state = State.DRAWN
        elif prompt in kept:
            state = State.WITHHELD
        else:
            state = State.GONE if number < drawn else State.OPEN
        places.append(Place(prompt, state, prediction))
    others = _others(challenge) if has_public() else {}
    return Results(challenge, [replace(place, others=others.get(place.prompt, ())) for place in places])


def rounds_of(challenges: Sequence[Challenge]) -> list[Round]:
    """Count the drawings of some challenges, and those of them that were read right."""
    ids = [challenge.id for challenge in challenges]
    right = func.count().filter(Prediction.digit == Prediction.prompt)
    rows = db.session.execute(
        select(Prediction.challenge, func.count(), right)
        .where(Prediction.challenge.in_(ids))
        .group_by(Prediction.challenge)
    )
    counts = {challenge_id: Proportion(part, total) for challenge_id, total, part in rows}
    empty = Proportion(0, 0)
    return [Round(each, counts.get(each.id, empty)) for each in challenges]


def _others(challenge: Challenge) -> dict[int, Sequence[Prediction]]:
    """Return the newest drawings of each digit by others than the author and the visitor."""
    by_others = Prediction.visitor.not_in({challenge.visitor, known_visitor()})
    return {
        prompt: queries.page([*visible_conditions(Filter(prompt=str(prompt))), by_others], None, OTHERS).items
        for prompt in challenge.prompts
    }
