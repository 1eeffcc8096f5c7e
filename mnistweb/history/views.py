"""The history: logged predictions by the filter in the query string, as a page and as downloads."""

from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from mnistweb.database.models import Prediction
from mnistweb.history.exports import csv_chunks, json_chunks
from mnistweb.predictions import queries
from mnistweb.predictions.filters import DIGITS, NONE, SOURCES, VERDICTS
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import requested_filter, visible_conditions
from mnistweb.web.request_args import requested_cursor, requested_limit
from mnistweb.web.visitors import known_visitor

blueprint = Blueprint("history", __name__)
DEFAULT_ROWS = 25
"""Predictions on a page without `?limit=`: few enough to scroll through on a phone."""


@blueprint.get("/history")
def index() -> ResponseReturnValue:
    """Show a page of the predictions that meet the filter, newest first."""
    wanted = requested_filter()
    if not all(request.args.values()):
        # A form sends empty fields too; a shared link is shorter without them.
        kept = urlencode([(name, text) for name, text in request.args.items() if text])
        return redirect(url_for(".index") + (kept and f"?{kept}"))
    page = queries.page(visible_conditions(wanted), requested_cursor(), requested_limit(DEFAULT_ROWS))
    return render_template(
        "history/index.html",
        page=page,
        wanted=wanted,
        visitor=known_visitor(),
        digits=[(digit, "not a digit" if digit == NONE else digit) for digit in DIGITS],
        verdicts=VERDICTS.items(),
        sources=SOURCES,
        titles=_titles(wanted.model),
    )


@blueprint.get("/history.csv")
def as_csv() -> Response:
    """Send all predictions that meet the filter as CSV."""
    batches = queries.batches(visible_conditions(requested_filter()))
    # Read the first batch before the response starts, so that an error still gets its status code.
    return _download(csv_chunks(chain([next(batches)], batches)), "csv", "text/csv; charset=utf-8")


@blueprint.get("/history.jsonl")
def as_json_lines() -> Response:
    """Send all predictions that meet the filter as JSON lines, with strokes and pixels."""
    batches = queries.batches(visible_conditions(requested_filter()), Prediction.strokes, Prediction.input)
    return _download(json_chunks(chain([next(batches)], batches)), "jsonl", "application/x-ndjson")


def _titles(model: str | None) -> dict[str, str]:
    # The log may hold predictions of a model that is no longer installed.
    titles = {card.name: card.title for card in model_cards()}
    return {model: model} | titles if model else titles


def _download(chunks: Iterator[str], suffix: str, mimetype: str) -> Response:
    response = Response(stream_with_context(chunks), content_type=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="mnistweb-history.{suffix}"'
    return response
