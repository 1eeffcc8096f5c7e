"""The history: all logged predictions, filtered by the address, as a page and as downloads."""

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
from mnistweb.history.exports import csv_pieces, json_pieces
from mnistweb.predictions import queries
from mnistweb.predictions.filters import DIGITS, NONE, SOURCES, VERDICTS
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import requested_filter, visible
from mnistweb.web.request_args import requested_cursor, requested_limit
from mnistweb.web.visitors import known_visitor

blueprint = Blueprint("history", __name__)
ROWS = 25
"""On a page, where the address does not ask for another number: few enough for a phone to scroll through."""


@blueprint.get("/history")
def index() -> ResponseReturnValue:
    """The logged predictions that the filter asks for, newest first."""
    wanted = requested_filter()
    if not all(request.args.values()):
        # A form sends its empty fields along; an address that is passed on is better without.
        kept = urlencode([(name, text) for name, text in request.args.items() if text])
        return redirect(url_for(".index") + (kept and f"?{kept}"))
    page = queries.page(visible(wanted), requested_cursor(), requested_limit(ROWS))
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
    """What the filter asks for, all of it, for spreadsheets."""
    batches = queries.batches(visible(requested_filter()))
    # The first batch is read here, so that what is wrong is said with its status code.
    return _download(csv_pieces(chain([next(batches)], batches)), "csv", "text/csv; charset=utf-8")


@blueprint.get("/history.jsonl")
def as_json_lines() -> Response:
    """What the filter asks for, all of it, for programs: with strokes and pixels."""
    batches = queries.batches(visible(requested_filter()), Prediction.strokes, Prediction.input)
    return _download(json_pieces(chain([next(batches)], batches)), "jsonl", "application/x-ndjson")


def _titles(wanted: str | None) -> dict[str, str]:
    # A network that is no longer installed can still be asked for by its name.
    titles = {card.name: card.title for card in model_cards()}
    return {wanted: wanted} | titles if wanted else titles


def _download(pieces: Iterator[str], ending: str, mimetype: str) -> Response:
    response = Response(stream_with_context(pieces), content_type=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="mnistweb-history.{ending}"'
    return response
