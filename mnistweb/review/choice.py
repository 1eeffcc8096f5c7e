"""The drawings that a form chooses, and the part of the queue that an address chooses."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import current_app, request

from mnistweb.database.models import Prediction
from mnistweb.predictions import queries
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.filters import Conditions, Filter, parse_filter
from mnistweb.predictions.retention import first_kept_day
from mnistweb.predictions.review_queue import Part, Queue
from mnistweb.predictions.reviewed_labels import ReviewedLabel
from mnistweb.recognition.errors import UserError

KEPT = ("part", "digit", "label", "author", "limit")
"""Parameters of the queue, which links and forms of its page keep."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A drawing in a form: its id, the label that the reviewer saw, and the one that accepting gives."""

    id: uuid.UUID
    seen: ReviewedLabel
    accepts: ReviewedLabel


def chosen_drawings() -> Sequence[Chosen]:
    """Read the drawings that a form chooses. Raises UserError."""
    try:
        values = [text.split(":") for text in request.form.getlist("drawing")]
        return [
            Chosen(uuid.UUID(each), ReviewedLabel.parse(seen), ReviewedLabel.parse(accepts))
            for each, seen, accepts in values
        ]
    except ValueError:
        raise UserError("invalid_filter", "These drawings cannot be read.") from None


def kept(given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the queue among those given, in an address or in a form."""
    return {name: given[name] for name in KEPT if given.get(name)}


def requested_queue() -> tuple[Queue, dict[str, str]]:
    """Return the queue that the address chooses, and the parameters that do. Raises UserError.

    An author is left out once the drawing that names them is deleted.
    """
    given = kept(request.args)
    try:
        return _queue(given), given
    except NotFound:
        del given["author"]
        return _queue(given), given


def _queue(given: Mapping[str, str]) -> Queue:
    text = given.get("part", "")
    if text and text not in list(Part):
        raise UserError("invalid_filter", f"The part must be one of {', '.join(Part)}.")
    return Queue(Part(text) if text else None, _conditions(given))


def _conditions(given: Mapping[str, str]) -> Conditions:
    criteria = parse_filter({name: given.get(name, "") for name in ("digit", "label")})
    kept_days = Filter(first=first_kept_day(current_app.config["RETENTION_DAYS"]))
    conditions = [*criteria.conditions(""), *kept_days.day_conditions()]
    if author := given.get("author"):
        conditions.append(Prediction.visitor == queries.get(_drawing_id(author)).visitor)
    return conditions


def _drawing_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise UserError("invalid_filter", "The author is given by the id of a drawing.") from None
