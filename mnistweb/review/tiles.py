"""Tiles of the review: a drawing, why it waits, and what accepting it means."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnistweb.database.models import Prediction
from mnistweb.formatting import percent
from mnistweb.predictions.review_queue import Part
from mnistweb.predictions.reviewed_labels import ReviewedLabel, label_of
from mnistweb.predictions.trust import MIN_CONTRADICTED, contradicted_claims
from mnistweb.predictions.wording import name_of
from mnistweb.proportion import Proportion
from mnistweb.review.likeness import similar_claims
from mnistweb.review.second_opinions import Opinion, other_readings


@dataclass(frozen=True, slots=True)
class Tile:
    """A drawing in the grid. `value` is what its checkbox sends: id, label seen, and label to accept."""

    prediction: Prediction
    reasons: Sequence[str]

    @property
    def accepts(self) -> ReviewedLabel:
        """The label that accepting gives: the author's claim, or else the prompt, or else the answer."""
        return accepted_label(self.prediction)

    @property
    def value(self) -> str:
        """The id of the drawing, the label that it has, and the one to accept, for a form."""
        return f"{self.prediction.id}:{label_of(self.prediction).code}:{self.accepts.code}"


def accepted_label(prediction: Prediction) -> ReviewedLabel:
    """Return the label that accepting a drawing gives."""
    if prediction.labelled:
        return ReviewedLabel.of(prediction.label)
    return ReviewedLabel.of(prediction.digit if prediction.prompt is None else prediction.prompt)


def make_tiles(items: Sequence[tuple[Part, Prediction]]) -> list[Tile]:
    """Say of each drawing why it waits; in each part those come first that have the most suspicions.

    The columns of the inputs must be loaded.
    """
    predictions = [prediction for _, prediction in items]
    trust = contradicted_claims({each.visitor for each in predictions if each.labelled})
    alike, others = similar_claims(predictions), other_readings(predictions)
    tiles: list[tuple[Part, Tile]] = []
    for part, prediction in items:
        suspicions = [
            *_others_words(others[prediction.id]),
            *_alike_words(alike.get(prediction.id, 0)),
            *(_trust_words(trust.get(prediction.visitor)) if prediction.labelled else ()),
        ]
        reasons = [_part_words(part, prediction), *suspicions]
        tiles.append((part, Tile(prediction, reasons)))
    order = list(Part)
    tiles.sort(key=lambda each: (order.index(each[0]), -len(each[1].reasons)))
    return [tile for _, tile in tiles]


def _part_words(part: Part, prediction: Prediction) -> str:
    read, sure = _reading(prediction.digit), percent(prediction.confidence, 0)
    if prediction.labelled and prediction.digit != prediction.label:
        return f"Read as {read} ({sure}), but the author says {_reading(prediction.label)}"
    if prediction.prompt is not None and prediction.digit != prediction.prompt:
        return f"Asked for {prediction.prompt}, but read as {read} ({sure})"
    if part is Part.DOUBTFUL:
        return f"In doubt ({sure})"
    if part is Part.REFUSED:
        return f"Refused ({sure})"
    return "The author agrees" if prediction.labelled else "Not rated"


def _others_words(opinions: Sequence[Opinion]) -> list[str]:
    return [f"{title} reads {_reading(digit)}" for title, digit in opinions]


def _alike_words(visitors: int) -> list[str]:
    if not visitors:
        return []
    who = "Another visitor" if visitors == 1 else f"{visitors} other visitors"
    return [f"{who} drew almost the same and said the same"]


def _trust_words(contradicted: Proportion | None) -> list[str]:
    if contradicted is None or contradicted.part < MIN_CONTRADICTED or contradicted.value <= 0.5:
        return []
    return [f"{contradicted.part} of {contradicted.total} claims of this author were wrong"]


def _reading(digit: int | None) -> str:
    return name_of(None) if digit is None else str(digit)
