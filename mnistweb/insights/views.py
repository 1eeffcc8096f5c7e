"""The insights page."""

from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.extensions import db
from mnistweb.insights.drift_figures import drift_charts, drift_rows, drift_sentence
from mnistweb.insights.figures import insight_charts
from mnistweb.insights.hardest import hardest_drawings
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.prompted import load_prompted, prompted_chart
from mnistweb.insights.queries import TIME_RANGES, load_insights
from mnistweb.insights.wording import period_name
from mnistweb.predictions.drift import current_drift
from mnistweb.predictions.retention import first_kept_day
from mnistweb.predictions.visibility import Audience
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import audience, has_public, visible_conditions

blueprint = Blueprint("insights", __name__)


@blueprint.get("/insights")
def index() -> ResponseReturnValue:
    """Show the insights of the last 30 or 365 `?days=`, or of all time.

    Only PUBLIC_HISTORY off hides the charts, which contain no data of single visitors. Drawings, and links to
    them, need a public history.
    """
    time_ranges = {None if days is None else str(days): days for days in TIME_RANGES}
    requested = request.args.get("days")
    if requested not in time_ranges or audience() is Audience.OFF:
        abort(404)
    today = datetime.now(UTC).date()
    # First, because the queries of the charts change how PostgreSQL plans.
    hardest = hardest_drawings(visible_conditions) if has_public() else None
    drift = current_drift()
    insights = load_insights(db.session(), time_ranges[requested], today)
    # A reviewed history lacks some of the drawings that the charts count, and so do days that are not kept.
    kept = first_kept_day(current_app.config["RETENTION_DAYS"])
    first = insights.total.start if kept and insights.first is None else insights.first
    links = HistoryLinks(first, audience() is Audience.EVERYONE, kept)
    return render_template(
        "insights/index.html",
        insights=insights,
        drift=drift,
        drift_rows=drift_rows(drift),
        drift_sentence=drift_sentence(drift),
        drift_charts=drift_charts(drift, replace(links, first=None)),
        charts=insight_charts(insights, {card.name: card.title for card in model_cards()}, links),
        prompted=prompted_chart(load_prompted(db.session(), insights), links),
        hardest=hardest,
        today=today,
        when=period_name,
        time_ranges=TIME_RANGES,
        chosen=time_ranges[requested],
    )
