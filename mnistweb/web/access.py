"""What visitors may see of each other: the setting PUBLIC_HISTORY, in one place."""

import uuid
from collections.abc import Sequence

from flask import abort, current_app, request
from sqlalchemy import ColumnElement

from mnistweb.database.models import Prediction
from mnistweb.predictions import queries
from mnistweb.predictions.filters import Filter, read_filter
from mnistweb.web.visitors import known_visitor

EVERYONE, OWN, OFF = "everyone", "own", "off"


def requested_filter() -> Filter:
    """The filter in the address. Raises UserError for a bad one; where there is no history, 404."""
    if current_app.config["PUBLIC_HISTORY"] == OFF:
        abort(404)
    return read_filter(request.args)


def visible(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    """The conditions of a filter, and that of being the visitor's own where nothing else may be seen."""
    visitor = known_visitor()
    limits = [] if _everyone() else [Prediction.visitor == visitor]
    return [*wanted.conditions(visitor), *limits]


def visible_prediction(prediction_id: uuid.UUID) -> Prediction:
    """The prediction of that id, if this visitor may see it. Raises NotFound."""
    # An id gives no power: only its author can label or delete what it names, by their cookie.
    return queries.get(prediction_id, None if _everyone() else known_visitor())


def _everyone() -> bool:
    return bool(current_app.config["PUBLIC_HISTORY"] == EVERYONE)
