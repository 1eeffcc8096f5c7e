"""Access to predictions of other visitors, as set by PUBLIC_HISTORY and by the operator's review."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from flask import Flask, abort, current_app, request
from sqlalchemy import ColumnElement

from mnistweb.database.models import Prediction
from mnistweb.predictions import queries, visibility
from mnistweb.predictions.counts import Count, count
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.predictions.retention import first_kept_day
from mnistweb.predictions.visibility import Audience
from mnistweb.web.visitors import known_visitor


def audience() -> Audience:
    """Return who may see the drawings of this site."""
    return Audience(current_app.config["PUBLIC_HISTORY"])


def requested_filter() -> Filter:
    """Parse the filter in the query string.

    Raises UserError (invalid_filter), or NotFound (404) if PUBLIC_HISTORY is off.
    """
    if audience() is Audience.OFF:
        abort(404)
    return parse_filter(request.args)


def visible_conditions(criteria: Filter) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a filter, limited to the predictions that this visitor finds in lists."""
    return visibility.listed(_visible(criteria), known_visitor(), audience())


def visible_count(criteria: Filter) -> Count:
    """Count the predictions that match a filter and that this visitor finds in lists."""
    return count(_visible(criteria), known_visitor(), audience())


def visible_prediction(prediction_id: uuid.UUID) -> Prediction:
    """Return a prediction that this visitor may see. Raises NotFound."""
    # Seeing is all that an id permits: feedback and deletion check the author's cookie.
    return queries.find(prediction_id, visibility.may_see(known_visitor(), audience()))


def has_public() -> bool:
    """Return whether visitors may see predictions of others."""
    return audience() in visibility.PUBLIC


def is_public(prediction: Prediction) -> bool:
    """Return whether everyone may see a prediction."""
    return visibility.is_public(prediction, audience())


def init_app(app: Flask) -> None:
    """Let templates ask whether a prediction is public."""
    app.jinja_env.globals["is_public"] = is_public


def _visible(criteria: Filter) -> Filter:
    # Drawings that the next `mnistweb prune` deletes are hidden, as the counts do not know if it has run.
    if first := first_kept_day(current_app.config["RETENTION_DAYS"]):
        criteria = replace(criteria, first=max(first, criteria.first or first))
    return criteria if has_public() else replace(criteria, mine=True)
