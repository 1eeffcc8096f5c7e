"""Access to predictions of other visitors, as set by PUBLIC_HISTORY."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from flask import abort, current_app, request
from sqlalchemy import ColumnElement

from mnistweb.database.models import Prediction
from mnistweb.predictions import queries
from mnistweb.predictions.counts import Count, count
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.predictions.retention import first_kept_day
from mnistweb.web.visitors import known_visitor

EVERYONE, OWN, OFF = "everyone", "own", "off"


def requested_filter() -> Filter:
    """Parse the filter in the query string.

    Raises UserError (invalid_filter), or NotFound (404) if PUBLIC_HISTORY is off.
    """
    if current_app.config["PUBLIC_HISTORY"] == OFF:
        abort(404)
    return parse_filter(request.args)


def visible_conditions(criteria: Filter) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a filter, limited to the visitor's own predictions unless all are public."""
    return _visible(criteria).conditions(known_visitor())


def visible_count(criteria: Filter) -> Count:
    """Count the predictions that match a filter and that this visitor may see."""
    return count(_visible(criteria), known_visitor())


def visible_prediction(prediction_id: uuid.UUID) -> Prediction:
    """Return a prediction that this visitor may see. Raises NotFound."""
    # Seeing is all that an id permits: feedback and deletion check the author's cookie.
    return queries.get(prediction_id, None if is_public() else known_visitor())


def is_public() -> bool:
    """Return whether visitors may see the predictions of others."""
    return bool(current_app.config["PUBLIC_HISTORY"] == EVERYONE)


def _visible(criteria: Filter) -> Filter:
    # Drawings that the next `mnistweb prune` deletes are hidden, as the counts do not know if it has run.
    if first := first_kept_day(current_app.config["RETENTION_DAYS"]):
        criteria = replace(criteria, first=max(first, criteria.first or first))
    return criteria if is_public() else replace(criteria, mine=True)
