"""The history: logged predictions by the filter in the query string, as a page and as downloads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false

from mnistweb.database.models import Prediction
from mnistweb.history.exports import csv_chunks, json_chunks, training_chunks
from mnistweb.history.wording import BOUNDS, PAGER, SHORTCUTS, SORTS, VIEWS
from mnistweb.predictions import queries
from mnistweb.predictions.filter_fields import (
    CERTAINTIES,
    DIGITS,
    NONE,
    SOURCES,
    VERDICTS,
    Verdict,
    short_percent,
)
from mnistweb.predictions.filters import Filter
from mnistweb.predictions.visibility import Audience
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import audience, requested_filter, visible_conditions, visible_count
from mnistweb.web.downloads import Batches, begin, download
from mnistweb.web.request_args import requested_cursor, requested_limit, requested_order
from mnistweb.web.visitors import known_visitor

blueprint = Blueprint("history", __name__)
DEFAULT_ROWS = {"list": 25, "gallery": 60}
"""Predictions on a page without `?limit=`: few enough to scroll through on a phone."""


@blueprint.get("/history")
def index() -> ResponseReturnValue:
    """Show a page of the predictions that meet the filter, as a list or as a gallery."""
    wanted = requested_filter()
    if not all(request.args.values()):
        # A form sends empty fields too; a shared link is shorter without them.
        given = urlencode([(name, text) for name, text in request.args.items() if text])
        return redirect(url_for(".index") + (given and f"?{given}"))
    order = requested_order()
    kept = {name: request.args[name] for name in ("sort", "view", "limit") if name in request.args}
    view = "gallery" if request.args.get("view") == "gallery" else "list"
    page = queries.page(
        visible_conditions(wanted), requested_cursor(), requested_limit(DEFAULT_ROWS[view]), order=order
    )
    hits = visible_count(wanted)
    if not hits.exact:  # the page itself may have looked further
        hits = replace(hits, number=max(hits.number, len(page.items)))
    # A reviewed history has but some of one's own.
    everything = Filter(mine=wanted.mine and audience() is Audience.REVIEWED)
    return render_template(
        "history/index.html",
        page=page,
        hits=hits,
        total=hits if wanted == everything else visible_count(everything),
        wanted=wanted,
        order=order,
        view=view,
        kept=kept,
        address=partial(_address, kept),
        visitor=known_visitor(),
        digits=[(digit, "not a digit" if digit == NONE else digit) for digit in DIGITS],
        verdicts=VERDICTS.items(),
        certainties=CERTAINTIES.items(),
        sources=SOURCES,
        titles=_titles(wanted.model),
        bounds=_bounds(wanted),
        sorts=SORTS,
        views=VIEWS,
        shortcuts=SHORTCUTS,
        pager=PAGER[order],
    )


@blueprint.get("/history.csv")
def as_csv() -> Response:
    """Send all predictions that meet the filter as CSV."""
    batches = _batches(visible_conditions(requested_filter()))
    return download(csv_chunks(batches), "mnistweb-history.csv", "text/csv; charset=utf-8")


@blueprint.get("/history.jsonl")
def as_json_lines() -> Response:
    """Send all predictions that meet the filter as JSON lines, with strokes and pixels."""
    batches = _batches(visible_conditions(requested_filter()), *queries.STROKES_TEXT, Prediction.input)
    return download(json_chunks(batches), "mnistweb-history.jsonl", "application/x-ndjson")


@blueprint.get("/history.strokes.json.gz")
def as_training_file() -> Response:
    """Send the labelled digits that meet the filter as a file of pen strokes to train on."""
    batches = _batches(_labelled(requested_filter()), *queries.STROKES_TEXT)
    return download(training_chunks(batches), "mnistweb-history.strokes.json.gz", "application/gzip")


def _labelled(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    if wanted.label == NONE or wanted.verdict is Verdict.UNLABELLED:
        return [false()]
    # The export itself leaves out drawings without strokes: a query for rare ones would take too long.
    return visible_conditions(replace(wanted, verdict=wanted.verdict or Verdict.LABELLED))


def _batches(conditions: queries.Conditions, *undeferred: queries.Deferred) -> Batches:
    return begin(queries.batches(conditions, *undeferred, order=requested_order()))


def _address(kept: Mapping[str, str], criteria: Filter | None, **changed: str) -> str:
    values: dict[str, Any] = {**kept, **(criteria.query() if criteria else {}), **changed}
    return url_for(".index", **values)


def _bounds(wanted: Filter) -> dict[float, str]:
    # A link may ask for others than the form offers.
    given = {bound for bound in (wanted.confidence_min, wanted.confidence_below) if bound is not None}
    return {bound: short_percent(bound) for bound in sorted({*BOUNDS, *given})}


def _titles(model: str | None) -> dict[str, str]:
    # The log may hold predictions of a model that is no longer installed.
    titles = {card.name: card.title for card in model_cards()}
    return {model: model} | titles if model else titles
